"""Secrets that lie in files: reading them safely, and making the development keys once."""

from __future__ import annotations

import base64
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from app.errors import SettingsError

LARGEST_SECRET_FILE_BYTES = 65_536
OPEN_TO_OTHERS = stat.S_IROTH | stat.S_IWOTH


def read_secret_file(variable: str, path: Path) -> str:
    """Return the file's text without blanks around it.

    `variable` is the name to blame. Raises SettingsError when the file is missing, empty, no
    regular file, too large, not UTF-8, or open to every user of the machine.
    """
    try:
        content = _read_private_file(variable, path)
    except FileNotFoundError:
        raise SettingsError(
            f"{variable} names a file that does not exist: create it or correct the path."
        ) from None
    except OSError as error:
        raise SettingsError(
            f"{variable} names a file that cannot be read ({error.strerror}): "
            "let the service's user read it."
        ) from None
    try:
        text = content.decode().strip()
    except UnicodeDecodeError:
        # No cause: the exception carries the file's bytes.
        raise SettingsError(
            f"{variable} names a file that is not UTF-8 text: store the secret as text."
        ) from None
    if not text:
        raise SettingsError(f"{variable} names an empty file: put the secret into it.")
    return text


def _read_private_file(variable: str, path: Path) -> bytes:
    # Checked on the open descriptor, so that nobody can swap the file in between; non-blocking, so
    # that a FIFO cannot hang the boot.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SettingsError(
                f"{variable} names a directory or a device: name a regular file that holds the "
                "secret alone."
            )
        if status.st_mode & OPEN_TO_OTHERS:
            raise SettingsError(
                f"{variable} names a file that every user of this machine can read or change: "
                "take that away with chmod o-rw."
            )
        content = file.read(LARGEST_SECRET_FILE_BYTES + 1)
    if len(content) > LARGEST_SECRET_FILE_BYTES:
        raise SettingsError(
            f"{variable} names a file larger than {LARGEST_SECRET_FILE_BYTES} bytes: "
            "name one that holds the secret alone."
        )
    return content


def create_secret_file_once(variable: str, path: Path) -> None:
    """Write one new random key to `path` (mode 0600), unless the file is there already.

    Two processes that start at once agree: the complete file appears by link(2), which succeeds for
    one of them only. Raises SettingsError when the folder cannot be written.
    """
    if path.exists():
        return
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(key + b"\n")
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink()
    except OSError as error:
        raise SettingsError(
            f"{variable} is unset and no key could be stored in the folder {path.parent.name}/ "
            f"({error.strerror}): make that folder writable or set {variable}."
        ) from None
