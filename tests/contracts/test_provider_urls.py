"""Identity providers are at plain https URLs, and nearer ones are opted into."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.boots import DEVELOPMENT
from tests.support.provider_boots import (
    GITHUB,
    MICROSOFT,
    SCHOOL,
    SECRET,
    TENANT,
    read,
    refusal,
    school_with,
)


@pytest.mark.parametrize("variable", ["ISSUER", "TOKEN_ENDPOINT"])
@pytest.mark.parametrize(
    "value",
    [
        "login.school.example",
        "//login.school.example",
        "ftp://login.school.example",
        "HTTPS://login.school.example",
        "https://",
        "https:///path",
        "https://login school.example",
        "https://login.school.example:0",
        "https://login.school.example:",
        "https://login.school.example/#fragment",
        f"https://user:{SECRET}@login.school.example",
        "https://user@login.school.example",
        "https://login.school.example\\@a.example",
        "https://login.school.example/{tenant}",
        "https://schulé.example",
        "https://example.7",
        "https://[8.8.8.8]",
        "https://[::g]",
        "https://2001:4860:4860::8888",
    ],
)
def test_wrong_url_is_refused(tmp_path: Path, variable: str, value: str) -> None:
    sentence = refusal(tmp_path, school_with(variable, value))

    assert sentence.startswith(f"OAUTH_SCHOOL_{variable} is no plain URL: ")


@pytest.mark.parametrize("variable", ["ISSUER", "TOKEN_ENDPOINT"])
@pytest.mark.parametrize(
    "value",
    [
        "https://login.school.example",
        "https://login.school.example/realms/pupils/",
        "https://LOGIN.school.example:8443/a%20b",
        "https://8.8.8.8",
        "https://[2001:4860:4860::8888]:8443/",
        "https://keycloak",
    ],
)
def test_right_url_is_kept_as_written(tmp_path: Path, variable: str, value: str) -> None:
    (provider,) = read(tmp_path, school_with(variable, value))

    assert getattr(provider, variable.lower()) == value


PRIVATE = {"OAUTH_SCHOOL_ALLOW_PRIVATE": "1"}


@pytest.mark.parametrize("variable", ["ISSUER", "JWKS_URI"])
@pytest.mark.parametrize(
    ("value", "allowed_by", "refused_by"),
    [
        ("http://localhost:9000", [PRIVATE, DEVELOPMENT], [{}]),
        ("http://127.0.0.1:9000/a", [PRIVATE, DEVELOPMENT], [{}]),
        ("http://[::1]:9000", [PRIVATE, DEVELOPMENT], [{}]),
        ("https://localhost", [PRIVATE, DEVELOPMENT], [{}]),
        ("https://127.0.0.2", [PRIVATE, DEVELOPMENT], [{}]),
        ("https://10.0.0.7", [PRIVATE], [{}, DEVELOPMENT]),
        ("https://[fd00::7]", [PRIVATE], [{}, DEVELOPMENT]),
        ("https://169.254.169.254", [PRIVATE], [{}, DEVELOPMENT]),
        ("http://10.0.0.7", [], [{}, PRIVATE, DEVELOPMENT]),
        ("http://127.0.0.2", [], [{}, PRIVATE, DEVELOPMENT]),
        ("http://localhost.example", [], [{}, PRIVATE, DEVELOPMENT]),
        ("http://login.school.example", [], [{}, PRIVATE, DEVELOPMENT]),
    ],
)
def test_near_places_are_opted_into(
    tmp_path: Path,
    variable: str,
    value: str,
    allowed_by: list[dict[str, str]],
    refused_by: list[dict[str, str]],
) -> None:
    environ = school_with(variable, value)

    for permission in allowed_by:
        (provider,) = read(tmp_path, {**environ, **permission})
        assert provider.allow_private is (permission is PRIVATE)
        assert provider.allow_loopback
    for permission in refused_by:
        sentence = refusal(tmp_path, {**environ, **permission})
        assert sentence.startswith(f"OAUTH_SCHOOL_{variable} is ")
        assert ("plain http" in sentence) is (not allowed_by)


def test_production_reaches_no_near_place_unless_said(tmp_path: Path) -> None:
    (provider,) = read(tmp_path, SCHOOL)

    assert not provider.allow_private
    assert not provider.allow_loopback


@pytest.mark.parametrize(
    ("issuer", "words"),
    [
        ("https://login.microsoftonline.com/common/v2.0", "every tenant"),
        ("https://login.microsoftonline.com/Organizations/v2.0", "every tenant"),
        ("https://login.microsoftonline.com/consumers/v2.0", "every tenant"),
        ("https://login.microsoft.example/common", "every tenant"),
        ("https://login.microsoftonline.com/school.example/v2.0", "tenant's id"),
        (f"https://login.microsoftonline.com/{TENANT.upper()}/v2.0", "tenant's id"),
        (f"https://login.microsoftonline.com/{TENANT}", "tenant's id"),
        (f"https://login.microsoftonline.com/{TENANT}/v2.0/", "tenant's id"),
        ("https://login.microsoftonline.us/school/v2.0", "tenant's id"),
        ("https://login.partner.microsoftonline.cn/school/v2.0", "tenant's id"),
    ],
)
def test_issuer_of_microsoft_is_one_tenants(tmp_path: Path, issuer: str, words: str) -> None:
    sentence = refusal(tmp_path, {**MICROSOFT, "OAUTH_MICROSOFT_ISSUER": issuer})

    assert sentence.startswith("OAUTH_MICROSOFT_ISSUER is ")
    assert words in sentence


@pytest.mark.parametrize(
    "issuer",
    [
        "https://github.com/",
        "https://github.com:443",
        "https://GitHub.com",
        "https://www.github.com",
        "https://api.github.com",
        "https://github.com/login/oauth",
        "https://github.example.org/",
        "https://GitHub.example.org",
    ],
)
def test_issuer_of_github_has_one_spelling(tmp_path: Path, issuer: str) -> None:
    """Row 53: identities are compared as bytes, so another spelling would be other people."""
    sentence = refusal(tmp_path, {**GITHUB, "OAUTH_GITHUB_ISSUER": issuer})

    assert sentence.startswith("OAUTH_GITHUB_ISSUER ")


def write_certificates(path: Path) -> None:
    usual = ssl.get_default_verify_paths()
    bundle = Path(usual.cafile or usual.openssl_cafile).read_text()
    end = "-----END CERTIFICATE-----\n"
    path.write_text(f"# Zertifizierungsstelle für Schulen\n{bundle.partition(end)[0]}{end}")


def test_certificates_are_found_from_the_project(tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    write_certificates(tmp_path / "tls" / "ca.pem")

    (provider,) = read(tmp_path, school_with("CA_FILE", "tls/ca.pem"))

    assert provider.ca_file == tmp_path / "tls" / "ca.pem"


WRONG_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: path, "cannot be read"),
    "directory": (lambda path: path.mkdir(), "cannot be read"),
    "fifo": (os.mkfifo, "cannot be read (no regular file)"),
    "empty": (lambda path: path.touch(), "no certificates"),
    "text": (lambda path: path.write_text("certificates"), "no certificates"),
    "binary": (lambda path: path.write_bytes(b"\xff\x00"), "no certificates"),
    "damaged": (
        lambda path: path.write_text(
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        ),
        "no certificates",
    ),
}


@pytest.mark.parametrize(("make", "words"), WRONG_FILES.values(), ids=WRONG_FILES.keys())
def test_wrong_certificates_are_refused(
    tmp_path: Path, make: Callable[[Path], object], words: str
) -> None:
    make(tmp_path / "ca.pem")

    sentence = refusal(tmp_path, school_with("CA_FILE", "ca.pem"))

    assert sentence.startswith("OAUTH_SCHOOL_CA_FILE names a file that ")
    assert words in sentence
