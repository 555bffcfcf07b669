"""Where the benchmark keeps its things; all but the peers' sources is ignored by git."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "bench" / "peers"
DATA = ROOT / "bench" / ".data"
"""Seeded databases, kept between runs, and the servers' logs."""
RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "performance.md"
IMAGES = ROOT / "docs" / "images"
SERVER_CORE, LOAD_CORE = 0, 1
ORIGIN = "https://id.example.org"
HOST = "id.example.org"
SECRET = "the-benchmark-signs-with-this-and-nobody-else-does"  # noqa: S105 - of no real service
