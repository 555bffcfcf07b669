"""The identity providers that people may sign in with: data, no code of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from app.config.certificates import check_certificate_file
from app.config.provider_kinds import ICONS, READY_MADE, READY_MADE_NAMES, ProviderKind
from app.config.provider_names import prefix_of, read_names
from app.config.provider_urls import Reach, read_endpoints, read_issuer
from app.config.variables import Variables
from app.errors import SettingsError

__all__ = ["ICONS", "ProviderKind", "ProviderSettings", "read_providers"]

LONGEST_LABEL = 40
# RFC 6749, appendix A.1 and A.2, without blanks around it; then section 3.3.
CLIENT_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
SCOPE = re.compile(r"[!#-\[\]-~]+")


@dataclass(frozen=True, kw_only=True)
class ProviderSettings:
    """One identity provider, complete.

    Endpoints that are None are found in an OpenID provider's metadata; those that are set win.
    """

    name: str
    """In paths, and in upper case in variables: ``[a-z][a-z0-9_]*``."""
    kind: ProviderKind
    label: str
    """What people call it, as in "Continue with GitHub"."""
    icon: str
    """The name of an icon of the pages: one of ICONS."""
    issuer: str
    """The issuer identifier; a fixed one where the provider is not OpenID."""
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...]
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    userinfo_endpoint: str | None = None
    jwks_uri: str | None = None
    revocation_endpoint: str | None = None
    emails_endpoint: str | None = None
    """GitHub's list of addresses; None for all others."""
    trusts_email: bool = True
    """Whether its ``email_verified`` proves an address; not where tenants write it (Microsoft)."""
    store_tokens: bool = False
    allow_private: bool = False
    """Whether it may stand at a private address."""
    allow_loopback: bool = False
    """Whether it may stand on this machine, and be reached by plain http there."""
    ca_file: Path | None = None
    """Certificates to trust instead of the usual ones."""

    @property
    def is_openid(self) -> bool:
        """Whether it proves identities by ID tokens."""
        return self.kind is not ProviderKind.GITHUB


def read_providers(variables: Variables, *, development: bool) -> tuple[ProviderSettings, ...]:
    """Read the providers, in the order of their buttons.

    Raises SettingsError at the first one that is incomplete or wrong. In development they may stand
    on this machine.
    """
    providers = tuple(
        _read_provider(variables, name, development=development) for name in read_names(variables)
    )
    _refuse_shared_issuers(providers)
    return providers


def _read_provider(variables: Variables, name: str, *, development: bool) -> ProviderSettings:
    prefix = prefix_of(name)
    client_id, client_secret = _read_client(variables, prefix)
    kind = _read_kind(variables, prefix, name)
    private = variables.flag(f"{prefix}_ALLOW_PRIVATE", default=ProviderSettings.allow_private)
    reach = Reach(private=private, loopback=private or development)
    issuer = read_issuer(variables, prefix, kind, reach)
    return ProviderSettings(
        name=name,
        kind=kind,
        label=_read_label(variables, prefix, name),
        icon=variables.choice(f"{prefix}_ICON", ICONS, kind.value),
        issuer=issuer,
        client_id=client_id,
        client_secret=client_secret,
        scopes=_read_scopes(variables, prefix, kind),
        **read_endpoints(variables, prefix, kind, issuer, reach),
        trusts_email=READY_MADE[kind].trusts_email,
        store_tokens=variables.flag(f"{prefix}_STORE_TOKENS", default=False),
        allow_private=reach.private,
        allow_loopback=reach.loopback,
        ca_file=_read_ca_file(variables, f"{prefix}_CA_FILE"),
    )


def _read_client(variables: Variables, prefix: str) -> tuple[str, str]:
    """Return the client's id and secret, which the provider issued."""
    client_id = variables.find_text(f"{prefix}_CLIENT_ID")
    if client_id is None:
        raise SettingsError(
            f"{prefix}_CLIENT_ID is missing or empty: set it to the client id that the provider "
            "issued."
        )
    variables.note(f"{prefix}_CLIENT_ID", client_id, "environment")
    secret = variables.find_secret(f"{prefix}_CLIENT_SECRET")
    if secret is None:
        raise SettingsError(
            f"{prefix}_CLIENT_SECRET is missing or empty: set it to the client secret that the "
            f"provider issued, or name its file in {prefix}_CLIENT_SECRET_FILE."
        )
    for variable, value in (("ID", client_id), ("SECRET", secret.value)):
        if not CLIENT_VALUE.fullmatch(value):
            raise SettingsError(
                f"{prefix}_CLIENT_{variable} has a blank around it, or a character that no "
                "provider issues: copy it once more."
            )
    variables.note(f"{prefix}_CLIENT_SECRET", "***", secret.source)
    return client_id, secret.value


def _read_kind(variables: Variables, prefix: str, name: str) -> ProviderKind:
    default = name if name in READY_MADE_NAMES else ProviderKind.OPENID
    return ProviderKind(variables.choice(f"{prefix}_KIND", tuple(ProviderKind), default))


def _read_label(variables: Variables, prefix: str, name: str) -> str:
    variable = f"{prefix}_LABEL"
    if len(variables.find_text(variable) or "") > LONGEST_LABEL:
        raise SettingsError(f"{variable} is too long: use {LONGEST_LABEL} characters at most.")
    ready_made = READY_MADE[ProviderKind(name)].label if name in READY_MADE_NAMES else None
    return variables.text(variable, ready_made or name.replace("_", " ").capitalize())


def _read_scopes(variables: Variables, prefix: str, kind: ProviderKind) -> tuple[str, ...]:
    variable, default = f"{prefix}_SCOPES", " ".join(READY_MADE[kind].scopes)
    scopes = (variables.find_text(variable) or default).replace(",", " ").split()
    if not scopes or not all(map(SCOPE.fullmatch, scopes)):
        raise SettingsError(
            f"{variable} must hold the scopes to ask for, separated by commas or blanks, without "
            "quotation marks."
        )
    if kind is not ProviderKind.GITHUB and "openid" not in scopes:
        raise SettingsError(
            f"{variable} lacks openid, without which the provider proves nobody's identity: add it."
        )
    variables.text(variable, default)
    return tuple(scopes)


def _read_ca_file(variables: Variables, variable: str) -> Path | None:
    path = variables.find_text(variable)
    if path is None:
        variables.note(variable, "unset", "default")
        return None
    file = variables.folder / path
    check_certificate_file(variable, file)
    variables.note(variable, str(file), "environment")
    return file


def _refuse_shared_issuers(providers: Iterable[ProviderSettings]) -> None:
    """Raise SettingsError where one issuer has two names: a person would be known under both."""
    known = set()
    for provider in providers:
        parts = urlsplit(provider.issuer)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        # Other spellings of one place count as the same.
        place = (parts.hostname, port, parts.path.rstrip("/"))
        if place in known:
            raise SettingsError(
                f"{prefix_of(provider.name)}_ISSUER is the issuer of another provider as well: "
                "give each issuer one name, and take the other out."
            )
        known.add(place)
