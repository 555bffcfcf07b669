"""Secrets in files: read only where nobody else can (ASVS 13.3.1), made once in development."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from app.config import load_settings
from app.config.secret_files import create_secret_file_once
from app.errors import SettingsError
from tests.support.boots import DEVELOPMENT, KEY, OLDER_KEY, PASSWORD, POSTGRESQL, PRODUCTION

WITHOUT_KEYS = {"PUBLIC_ORIGIN": PRODUCTION["PUBLIC_ORIGIN"], "SECRET_KEYS_FILE": "keys"}


def write(path: Path, content: str | bytes, mode: int) -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440, 0o640], ids=oct)
def test_private_file_is_read(tmp_path: Path, mode: int) -> None:
    write(tmp_path / "keys", f"{KEY}\n{OLDER_KEY}\n", mode)

    settings = load_settings(WITHOUT_KEYS, folder=tmp_path)

    assert len(settings.service.secret_keys) == 2
    assert settings.origins_of_values["SECRET_KEYS"][1] == f"file {tmp_path}/keys"


def test_file_may_be_reached_by_links_as_kubernetes_lays_them(tmp_path: Path) -> None:
    write(tmp_path / "real", KEY, 0o600)
    (tmp_path / "keys").symlink_to("real")

    assert load_settings(WITHOUT_KEYS, folder=tmp_path).service.secret_keys


WRONG_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: path, "does not exist"),
    "empty": (lambda path: write(path, "", 0o600), "empty file"),
    "blank": (lambda path: write(path, " \n", 0o600), "empty file"),
    "directory": (lambda path: path.mkdir(), "directory"),
    "fifo": (lambda path: os.mkfifo(path, 0o600), "directory or a device"),
    "world_readable": (lambda path: write(path, KEY, 0o604), "every user"),
    "world_writable": (lambda path: write(path, KEY, 0o602), "every user"),
    "link_in_a_circle": (lambda path: path.symlink_to(path), "cannot be read"),
    "binary": (lambda path: write(path, b"\xff" + KEY.encode(), 0o600), "not UTF-8"),
    "too_large": (lambda path: write(path, f"{KEY} " * 2000, 0o600), "larger than"),
}


@pytest.mark.parametrize(("make", "words"), WRONG_FILES.values(), ids=WRONG_FILES.keys())
def test_wrong_file_is_refused(tmp_path: Path, make: Callable[[Path], object], words: str) -> None:
    make(tmp_path / "keys")

    with pytest.raises(SettingsError) as refusal:
        _ = load_settings(WITHOUT_KEYS, folder=tmp_path).service

    sentence = str(refusal.value)
    assert sentence.startswith("SECRET_KEYS_FILE ")
    assert words in sentence
    assert KEY not in sentence


def test_wrong_key_in_a_file_is_refused_without_being_told(tmp_path: Path) -> None:
    write(tmp_path / "keys", KEY[:-3], 0o600)

    with pytest.raises(SettingsError, match="SECRET_KEYS holds a key that is not exactly") as error:
        _ = load_settings(WITHOUT_KEYS, folder=tmp_path).service

    assert KEY[:-3] not in str(error.value)


@pytest.mark.parametrize("name", ["DATABASE_URL", "MIGRATION_DATABASE_URL"])
def test_database_address_comes_from_a_file(tmp_path: Path, name: str) -> None:
    write(tmp_path / "url", f"{POSTGRESQL}\n", 0o600)

    environ = {"DATABASE_URL": "postgresql://db/other", f"{name}_FILE": "url", name: ""}
    database = load_settings(environ, folder=tmp_path).database

    assert database.migration_url == f"postgresql+psycopg://user:{PASSWORD}@db.example.org/badges"


def test_development_makes_a_key_once(tmp_path: Path) -> None:
    first = load_settings(DEVELOPMENT, folder=tmp_path)
    second = load_settings(DEVELOPMENT, folder=tmp_path)

    assert first.service.secret_keys == second.service.secret_keys
    assert first.origins_of_values["SECRET_KEYS"][1] == "generated in instance/secret_keys"
    file = tmp_path / "instance" / "secret_keys"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [item.name for item in file.parent.iterdir()] == ["secret_keys"]


def test_development_keeps_a_key_that_is_set(tmp_path: Path) -> None:
    _ = load_settings({**DEVELOPMENT, "SECRET_KEYS": KEY}, folder=tmp_path).service

    assert not (tmp_path / "instance" / "secret_keys").exists()


def test_production_makes_no_key(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SECRET_KEYS is missing"):
        _ = load_settings({**PRODUCTION, "SECRET_KEYS": ""}, folder=tmp_path).service

    assert not (tmp_path / "instance" / "secret_keys").exists()


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    starters = 8
    for attempt in range(20):
        folder, barrier = tmp_path / str(attempt), Barrier(starters)
        folder.mkdir()

        def start(folder: Path = folder, barrier: Barrier = barrier) -> tuple[bytes, ...]:
            barrier.wait()
            return load_settings(DEVELOPMENT, folder=folder).service.secret_keys

        with ThreadPoolExecutor(starters) as pool:
            keys = {future.result() for future in [pool.submit(start) for _ in range(starters)]}
        assert len(keys) == 1


def test_folder_that_cannot_hold_the_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "instance").write_text("a file where the folder should be")

    with pytest.raises(SettingsError, match="SECRET_KEYS is unset and no key could be stored"):
        create_secret_file_once("SECRET_KEYS", tmp_path / "instance" / "secret_keys")
