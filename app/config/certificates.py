"""Files of certificates to trust."""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path

from app.errors import SettingsError


def check_certificate_file(variable: str, path: Path) -> None:
    """Raise SettingsError, blaming `variable`, unless the file holds certificates in PEM.

    Certificates are no secret, so everybody may read the file; whoever may write it is trusted.
    """
    try:
        pem = _read_file(path)
    except OSError as error:
        raise SettingsError(
            f"{variable} names a file that cannot be read ({error.strerror}): correct the path, or "
            "let the service's user read it."
        ) from None
    # Bundles hold comments in any encoding between the certificates.
    text = pem.decode("ascii", errors="ignore")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ValueError, ssl.SSLError):
        raise SettingsError(
            f"{variable} names a file that holds no certificates in PEM: name one with BEGIN "
            "CERTIFICATE in it."
        ) from None


def _read_file(path: Path) -> bytes:
    # Non-blocking, so that a FIFO cannot hang the boot; a directory is refused by reading it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "no regular file")
        return file.read()
