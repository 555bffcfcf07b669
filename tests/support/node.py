"""The Node that runs the certified provider, and what npm has installed for it."""

import os
import shutil
import subprocess
from functools import cache

import pytest

from tests.support.servers import ROOT

PEERS = ROOT / "tests" / "peers"
OLDEST = 20
"""The JOSE library of the provider needs what this release brought."""


def require_peers() -> str:
    """Give the Node that NODE names, or that is on PATH.

    Without one, or before `make test` has installed the provider, the test fails under CI, and is
    left out with a word elsewhere.
    """
    program = os.environ.get("NODE") or shutil.which("node")
    if program is None or _release(program) < OLDEST:
        sentence = f"no Node {OLDEST} or later: install it, or name it with NODE=…"
    elif not (PEERS / "node_modules" / "oidc-provider").is_dir():
        sentence = "the provider of tests/peers is not installed: `make test` does it"
    else:
        return program
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)


@cache
def _release(program: str) -> int:
    command = [program, "--print", "process.versions.node.split('.')[0]"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(done.stdout or 0) if done.returncode == 0 else 0
