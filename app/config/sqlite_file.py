"""Where the SQLite file lies."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from app.config.variables import Secret, Variables
from app.errors import SettingsError

DEFAULT_SQLITE_FILE = "instance/openbadges.db"


def read_sqlite_url(variables: Variables, secret: Secret | None) -> str:
    """Read SQLITE_FILE, or the path in `secret`, the DATABASE_URL; return SQLAlchemy's URL.

    Creates the default folder, and no other: a misspelt path must not begin an empty database.
    """
    name, path = "SQLITE_FILE", variables.find_text("SQLITE_FILE")
    if secret:
        if path:
            raise SettingsError(
                "SQLITE_FILE and DATABASE_URL both name the database: unset one of them."
            )
        name, path = "DATABASE_URL", _sqlite_path_of_url(secret.value)
    file = (variables.folder / (path or DEFAULT_SQLITE_FILE)).absolute()
    if path is None:
        _create_default_folder(file.parent)
    _check_sqlite_file(name, path or DEFAULT_SQLITE_FILE, file)
    url = URL.create("sqlite", database=str(file)).render_as_string(hide_password=False)
    source = "default" if path is None else "environment"
    variables.note("SQLITE_FILE", str(file), "DATABASE_URL" if secret else source)
    variables.note(
        "DATABASE_URL", url if secret else "unset", secret.source if secret else "default"
    )
    return url


def _sqlite_path_of_url(url: str) -> str:
    prefix = "sqlite:///"
    path = (make_url(url).database or "") if url.startswith(prefix) else ""
    if not path or "?" in url or not path.isprintable():
        raise SettingsError(
            "DATABASE_URL names no SQLite file: write sqlite:/// and the path, with nothing after "
            "it, or set SQLITE_FILE."
        )
    return path


def _create_default_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"SQLITE_FILE is unset and the default folder {folder.name}/ cannot be created "
            f"({error.strerror}): set SQLITE_FILE to a place that the service can write."
        ) from None


def _check_sqlite_file(variable: str, path: str, file: Path) -> None:
    if path == ":memory:" or path.startswith("file:"):
        raise SettingsError(
            f"{variable} must name a file on disk: a database in memory is lost and differs from "
            "process to process, and file: addresses are not read."
        )
    if not file.parent.is_dir():
        raise SettingsError(
            f"{variable} lies in a folder that does not exist: create the folder or correct the "
            "path (a relative one begins at the project's folder)."
        )
    if path.endswith("/") or (file.exists() and not file.is_file()):
        raise SettingsError(f"{variable} names a directory or a device: name a file.")
    # SQLite writes journals beside the file, so the folder matters as much as the file.
    if not all(os.access(item, os.W_OK) for item in (file.parent, file) if item.exists()):
        raise SettingsError(
            f"{variable} is in a place that the service cannot write: let its user write the file "
            "and its folder."
        )
