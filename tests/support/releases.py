"""The release after this one, as far as the database is concerned: one more migration."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.migrations import HEAD, with_migration
from tests.support.servers import ROOT, Server

_BOOT_SECONDS = 60


def next_release(folder: Path, body: str, *, down: str, revision: str = "099_extra") -> Path:
    """Copy the project and add a migration whose upgrade is ``body``, and that it needs."""
    release = folder / "next-release"
    release.mkdir()
    # With what is compiled already, else every start would do it again.
    shutil.copytree(ROOT / "app", release / "app")
    for name in ("wsgi.py", "gunicorn.conf.py"):
        shutil.copy(ROOT / name, release)
    with_migration(release, body, revision=revision, down=down)
    schema = release / "app" / "services" / "schema.py"
    code = schema.read_text()
    newest = f'"{HEAD}",\n)'
    assert code.count(newest) == 1
    schema.write_text(code.replace(newest, f'"{HEAD}",\n    "{revision}",\n)'))
    return release


def refused_boot(server: Server, folder: Path) -> str:
    """Start a release that must refuse to serve, and give what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "wsgi:app"],
        cwd=folder,
        env=dict(server.environment),
        capture_output=True,
        text=True,
        timeout=_BOOT_SECONDS,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr
