"""Settings are complete and consistent, or the boot ends with one sentence.

No default or example secret is accepted in production (ASVS 13.2.3), and none is printed.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from app.config import (
    PROJECT_FOLDER,
    Environment,
    Registration,
    ServiceSettings,
    Settings,
    load_settings,
)
from app.errors import SettingsError
from tests.support.boots import (
    DEVELOPMENT,
    GOOD_BOOTS,
    KEY,
    OLDER_KEY,
    POSTGRESQL,
    PRODUCTION,
    SECRETS,
    WRONG_BOOTS,
)


def boot(environ: Mapping[str, str], folder: Path) -> tuple[Settings, ServiceSettings]:
    settings = load_settings(environ, folder=folder)
    return settings, settings.service


@pytest.mark.parametrize(
    ("changes", "variable", "words"), WRONG_BOOTS.values(), ids=WRONG_BOOTS.keys()
)
def test_wrong_boot_is_refused(
    tmp_path: Path, changes: dict[str, str], variable: str, words: str
) -> None:
    """DB-5 among them: the database's variables may not contradict each other."""
    with pytest.raises(SettingsError) as refusal:
        boot({**PRODUCTION, **changes}, tmp_path)

    sentence = str(refusal.value)
    assert variable in sentence.split()
    assert words in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert not any(secret in sentence for secret in SECRETS)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("changes", GOOD_BOOTS.values(), ids=GOOD_BOOTS.keys())
def test_right_neighbour_boots(tmp_path: Path, changes: dict[str, str]) -> None:
    _, service = boot({**PRODUCTION, **changes}, tmp_path)

    assert service.secret_keys[0] == base64.urlsafe_b64decode(f"{KEY}=")


def test_smallest_production_is_safe(tmp_path: Path) -> None:
    """DB-3: the database is a file in the project's instance/ unless said otherwise."""
    settings, service = boot(PRODUCTION, tmp_path)

    assert service.environment is Environment.PRODUCTION
    assert service.rp_id == "id.example.org"
    assert service.registration is Registration.INVITE
    assert not service.public_docs
    assert service.bind == "127.0.0.1"
    assert service.secure
    assert (service.session_cookie, service.browser_cookie) == ("__Host-session", "__Host-browser")
    assert service.session_idle == timedelta(days=3)
    assert service.admin_session_absolute == timedelta(hours=12)
    assert settings.log.format == "json"
    assert settings.database.url == f"sqlite:///{tmp_path}/instance/openbadges.db"


def test_smallest_development_is_convenient(tmp_path: Path) -> None:
    settings, service = boot({**DEVELOPMENT, "PORT": "9000"}, tmp_path)

    assert service.public_origin == "http://localhost:9000"
    assert service.rp_id == "localhost"
    assert service.registration is Registration.INVITE
    assert service.public_docs
    assert not service.secure
    assert service.session_cookie == "openbadges_session_9000"
    assert service.browser_cookie == "openbadges_browser_9000"
    assert settings.log.format == "text"


def test_development_on_the_default_port_is_written_as_browsers_do(tmp_path: Path) -> None:
    _, service = boot({**DEVELOPMENT, "PORT": "80"}, tmp_path)

    assert service.public_origin == "http://localhost"
    assert service.session_cookie == "openbadges_session_80"


def test_cookies_follow_the_port_of_the_origin(tmp_path: Path) -> None:
    _, service = boot({**DEVELOPMENT, "PUBLIC_ORIGIN": "http://localhost:9443"}, tmp_path)

    assert service.session_cookie == "openbadges_session_9443"


@pytest.mark.parametrize("written", ["::1", "[::1]"])
def test_ipv6_address_is_bound_in_brackets(tmp_path: Path, written: str) -> None:
    _, service = boot({**PRODUCTION, "BIND": written}, tmp_path)

    assert service.bind == "[::1]"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((word, True) for word in ("1", "true", "yes", "on", "TRUE", "On")),
        *((word, False) for word in ("0", "false", "no", "off", "FALSE", "")),
    ],
)
def test_yes_or_no_has_four_spellings(tmp_path: Path, value: str, *, expected: bool) -> None:
    settings = load_settings({"LOG_QUERIES": value}, folder=tmp_path)

    assert settings.database.log_queries is expected


def test_keys_keep_their_order(tmp_path: Path) -> None:
    _, service = boot({**PRODUCTION, "SECRET_KEYS": f"{KEY} {OLDER_KEY}"}, tmp_path)

    assert service.secret_keys == tuple(
        hashlib.sha256(name).digest() for name in (b"newest", b"older")
    )


def test_a_command_needs_only_the_settings_it_uses(tmp_path: Path) -> None:
    settings = load_settings({"DATABASE_URL": POSTGRESQL}, folder=tmp_path)

    assert settings.database.kind == "postgresql"
    with pytest.raises(SettingsError, match="PUBLIC_ORIGIN is missing"):
        _ = settings.service


def test_settings_come_from_the_process_by_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "environ", {"SQLITE_FILE": str(tmp_path / "badges.db")})

    assert load_settings().database.url == f"sqlite:///{tmp_path}/badges.db"


def test_printed_settings_hold_no_secret(tmp_path: Path) -> None:
    settings, _ = boot({**PRODUCTION, "DATABASE_URL": POSTGRESQL}, tmp_path)

    assert not any(secret in repr(settings) for secret in SECRETS)
    assert repr(hashlib.sha256(b"newest").digest()) not in repr(settings)
    assert "id.example.org" in repr(settings)


def test_relative_paths_start_where_the_service_lies() -> None:
    assert (PROJECT_FOLDER / "gunicorn.conf.py").is_file()
