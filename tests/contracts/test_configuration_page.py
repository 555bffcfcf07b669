"""docs/configuration.md says what the code does: every variable, default and bound."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.config import load_settings
from app.errors import SettingsError
from tests.support.boots import DEVELOPMENT, POSTGRESQL, PRODUCTION

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \| (.+?) \| .+ \|$", re.MULTILINE)
ROWS = {name: (default, accepts) for name, default, accepts in ROW.findall(PAGE)}
BOUNDS = {
    name: (int(match[1]), int(match[2]))
    for name, (_, accepts) in ROWS.items()
    if (match := re.fullmatch(r"(\d+) to (\d+)", accepts))
}
LOCALHOST = {"PUBLIC_ORIGIN": "https://localhost"}
# Their defaults are told in words, because they follow from others.
TOLD_IN_WORDS = {"PUBLIC_ORIGIN", "RP_ID", "SECRET_KEYS", "DB_TYPE"}


def test_every_variable_is_on_the_page_and_no_other(tmp_path: Path) -> None:
    assert ROWS.keys() == load_settings(PRODUCTION, folder=tmp_path).origins_of_values.keys()


@pytest.mark.parametrize("name", sorted(ROWS.keys() - TOLD_IN_WORDS))
def test_default_is_the_one_on_the_page(tmp_path: Path, name: str) -> None:
    value, origin = load_settings(PRODUCTION, folder=tmp_path).origins_of_values[name]

    assert origin == "default"
    told, _, in_development = ROWS[name][0].partition("; in development ")
    assert told == f"`{value.removeprefix(f'{tmp_path}/')}`"
    value, _ = load_settings(DEVELOPMENT, folder=tmp_path).origins_of_values[name]
    if in_development:
        assert in_development == f"`{value}`"


def boots(folder: Path, name: str, number: int) -> bool:
    environ = {**PRODUCTION, name: str(number)}
    if name.endswith("_IDLE_SECONDS") and name.startswith(("SESSION", "ADMIN")):
        environ[name.replace("IDLE", "ABSOLUTE")] = str(BOUNDS[name][1])
    if name.endswith("_ABSOLUTE_SECONDS"):
        environ[name.replace("ABSOLUTE", "IDLE")] = str(BOUNDS[name][0])
    try:
        _ = load_settings(environ, folder=folder).service
    except SettingsError as error:
        assert str(error).startswith(f"{name} ")  # noqa: PT017 (another refusal proves nothing)
        return False
    return True


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_bounds_are_the_ones_on_the_page(tmp_path: Path, name: str) -> None:
    least, most = BOUNDS[name]

    assert boots(tmp_path, name, least)
    assert boots(tmp_path, name, most)
    assert not boots(tmp_path, name, least - 1)
    assert not boots(tmp_path, name, most + 1)


def test_numbers_on_the_page_are_found() -> None:
    assert len(BOUNDS) == 14


@pytest.mark.parametrize("name", sorted(ROWS))
def test_choices_on_the_page_boot(tmp_path: Path, name: str) -> None:
    choices = re.findall(r"`([A-Za-z]+)`", ROWS[name][1]) or [""]
    for choice in choices if name not in {"RP_ID", "BIND"} else ["localhost"]:
        environ = {**PRODUCTION, **LOCALHOST, name: choice}
        if choice == "postgresql":
            environ["DATABASE_URL"] = POSTGRESQL
        if name in {"PUBLIC_ORIGIN", "SECRET_KEYS"} or name.endswith("DATABASE_URL"):
            environ[name] = {**PRODUCTION, **LOCALHOST}.get(name, "")

        assert load_settings(environ, folder=tmp_path).service.rp_id == "localhost"


@pytest.mark.parametrize("name", sorted(ROWS))
def test_secrets_alone_are_read_from_files(tmp_path: Path, name: str) -> None:
    told = f"`{name}_FILE`" in ROWS[name][1]

    try:
        _ = load_settings({**PRODUCTION, f"{name}_FILE": "missing"}, folder=tmp_path).service
    except SettingsError as error:
        assert f"{name}_FILE" in str(error)  # noqa: PT017 (another refusal proves nothing)
        read = True
    else:
        read = False
    assert read is told
