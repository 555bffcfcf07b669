"""docs/configuration.md says what the code does: every variable, default and bound."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.config import ProviderSettings, load_settings
from app.config.oauth import ICONS, ProviderKind
from app.config.provider_names import SUFFIXES
from app.errors import SettingsError
from tests.support.boots import DEVELOPMENT, POSTGRESQL, PRODUCTION

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \| (.+?) \| .+ \|$", re.MULTILINE)
ROWS = {name: (default, accepts) for name, default, accepts in ROW.findall(PAGE)}
# Of an identity provider: by what stands behind OAUTH_<NAME>_.
FAMILY_ROW = re.compile(r"^\| `OAUTH_<NAME>_([A-Z_]+)` \| (.+?) \| (.+?) \| .+ \|$", re.MULTILINE)
FAMILY = {suffix: (default, accepts) for suffix, default, accepts in FAMILY_ROW.findall(PAGE)}
READY_MADE_ROW = re.compile(r"^\| `([a-z]+)` \| `?(.+?)`? \| `(.+)` \|$", re.MULTILINE)
BOUNDS = {
    name: (int(match[1]), int(match[2]))
    for name, (_, accepts) in ROWS.items()
    if (match := re.fullmatch(r"(\d+) to (\d+)", accepts))
}
LOCALHOST = {"PUBLIC_ORIGIN": "https://localhost"}
# Their defaults are told in words, because they follow from others.
TOLD_IN_WORDS = {"PUBLIC_ORIGIN", "RP_ID", "SECRET_KEYS", "DB_TYPE"}
CLIENT = {"CLIENT_ID": "badges", "CLIENT_SECRET": "x"}
SCHOOL = {**CLIENT, "ISSUER": "https://login.school.example"}


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
    assert len(BOUNDS) == 16


@pytest.mark.parametrize("name", sorted(ROWS))
def test_choices_on_the_page_boot(tmp_path: Path, name: str) -> None:
    choices = re.findall(r"`([A-Za-z]+)`", ROWS[name][1]) or [""]
    for choice in choices if name not in {"RP_ID", "BIND", "GATE_BIND"} else ["localhost"]:
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


def family(name: str, **values: str) -> dict[str, str]:
    return {**PRODUCTION, **{f"OAUTH_{name}_{suffix}": value for suffix, value in values.items()}}


def origins(folder: Path, name: str, **values: str) -> dict[str, tuple[str, str]]:
    """Map the suffixes of one provider's variables to value and origin."""
    settings = load_settings(family(name, **values), folder=folder)
    assert settings.service.providers
    prefix = f"OAUTH_{name}_"
    return {
        variable.removeprefix(prefix): shown
        for variable, shown in settings.origins_of_values.items()
        if variable.startswith(prefix)
    }


def test_every_variable_of_a_provider_is_on_the_page_and_no_other(tmp_path: Path) -> None:
    school, github = origins(tmp_path, "SCHOOL", **SCHOOL), origins(tmp_path, "GITHUB", **CLIENT)

    assert FAMILY.keys() == school.keys() | github.keys()
    assert {*FAMILY, "CLIENT_SECRET_FILE"} == set(SUFFIXES)
    assert school.keys() ^ github.keys() == {"JWKS_URI", "EMAILS_ENDPOINT"}
    assert "not for `github`" in FAMILY["JWKS_URI"][1]
    assert "for `github` alone" in FAMILY["EMAILS_ENDPOINT"][1]


@pytest.mark.parametrize("suffix", sorted(FAMILY.keys() - {"EMAILS_ENDPOINT", "LABEL"}))
def test_default_of_a_provider_is_the_one_on_the_page(tmp_path: Path, suffix: str) -> None:
    value, origin = origins(tmp_path, "SCHOOL", **SCHOOL)[suffix]

    told = FAMILY[suffix][0].partition(";")[0]
    if told == "required":
        assert suffix in SCHOOL
        with pytest.raises(SettingsError, match=f"^OAUTH_SCHOOL_{suffix} is missing"):
            origins(tmp_path, "SCHOOL", **{**SCHOOL, suffix: ""}, KIND="openid")
    else:
        assert (told, origin) == (f"`{value}`", "default")


def test_ready_made_providers_are_the_ones_on_the_page(tmp_path: Path) -> None:
    rows = {name: (issuer, scopes) for name, issuer, scopes in READY_MADE_ROW.findall(PAGE)}

    assert rows.keys() == set(ProviderKind) - {"openid"}
    for name, (issuer, scopes) in rows.items():
        environ = family(name.upper(), **CLIENT)
        if issuer == "required":
            with pytest.raises(SettingsError, match="_ISSUER is missing"):
                _ = load_settings(environ, folder=tmp_path).service
            continue
        (provider,) = load_settings(environ, folder=tmp_path).service.providers
        assert (provider.issuer, " ".join(provider.scopes)) == (issuer, scopes)
        assert f"`{provider.label}`" in FAMILY["LABEL"][0]


def test_choices_of_a_provider_are_the_ones_on_the_page() -> None:
    assert re.findall(r"`(\w+)`", FAMILY["KIND"][1]) == list(ProviderKind)
    assert re.findall(r"`(\w+)`", FAMILY["ICON"][1]) == list(ICONS)


@pytest.mark.parametrize("suffix", sorted(FAMILY))
def test_secret_of_a_client_alone_is_read_from_a_file(tmp_path: Path, suffix: str) -> None:
    environ = family("SCHOOL", **{**SCHOOL, suffix: ""}, **{f"{suffix}_FILE": "missing"})

    with pytest.raises(SettingsError, match=f"^OAUTH_SCHOOL_{suffix}_FILE ") as refused:
        _ = load_settings(environ, folder=tmp_path).service

    told = f"`OAUTH_<NAME>_{suffix}_FILE`" in FAMILY[suffix][1]
    assert ("names a file that does not exist" in str(refused.value)) is told


def examples() -> list[dict[str, str]]:
    blocks = re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    pairs = [dict(line.split("=", 1) for line in block.splitlines()) for block in blocks]
    return [block for block in pairs if any(name.startswith("OAUTH_") for name in block)]


def test_examples_of_providers_boot(tmp_path: Path) -> None:
    small, large = examples()
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o600)
    small["OAUTH_GITHUB_CLIENT_SECRET_FILE"] = str(secret)
    clients = family("GHE", **CLIENT) | family("SCHOOL", **CLIENT)

    def read(environ: dict[str, str]) -> tuple[ProviderSettings, ...]:
        return load_settings({**PRODUCTION, **environ}, folder=tmp_path).service.providers

    assert [provider.name for provider in read(small)] == ["github"]
    names = [provider.name for provider in read({**small, **clients, **large})]
    assert names == ["github", "ghe", "school"]
