"""A disk so small that a test can fill it: a tmpfs, which takes root to mount."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

_SIZE = "4m"


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk of a few MiB for as long as the block runs.

    Where that is not allowed the test fails under CI, and is left out with a word elsewhere.
    """
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "openbadges-tests", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        sentence = f"no small disk: mounting one takes root ({mounted.stderr.strip()})"
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Use up all the room on a disk for as long as the block runs."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            _write_all_of(file, bytes(size))
    try:
        yield
    finally:
        filler.unlink()


def _write_all_of(file: BinaryIO, block: bytes) -> None:
    try:
        while file.write(block):
            pass
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
