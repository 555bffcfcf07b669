"""Where identity providers are: their issuers and endpoints.

An issuer is kept exactly as written, since it is compared as text with what the provider says
(OpenID Connect Discovery 1.0, 4.3; RFC 9207, 2.4).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import partial
from typing import TypedDict
from urllib.parse import SplitResult, urlsplit

from app.config.origin import is_host_name, is_ip_address, is_port
from app.config.provider_kinds import GITHUB_ISSUER, READY_MADE, ProviderKind, github_endpoints
from app.config.variables import Variables
from app.errors import SettingsError

# The characters of RFC 3986 without "[", "]", "@" and "#" behind the authority: so no placeholder
# such as {tenant}, no backslash, and no user information under any reading.
URL = re.compile(
    r"https?://(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:/?#@]+)(?::(?P<port>[^/?#@]*))?"
    r"(?:/[A-Za-z0-9._~!$&'()*+,;=:%/-]*)?(?P<query>\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
)
PLAIN_HTTP_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
MICROSOFT_HOSTS = frozenset(
    {"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"}
)
MICROSOFT_TENANT = re.compile(r"/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/v2\.0")
# Not one issuer but many: whoever has any Microsoft account would be somebody here.
MICROSOFT_SHARED = frozenset({"common", "organizations", "consumers"})


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Where one provider may stand: in a private network, on this machine."""

    private: bool
    loopback: bool


class Endpoints(TypedDict):
    """Those of ProviderSettings; None is for the provider's metadata to say, or for nobody."""

    authorization_endpoint: str | None
    token_endpoint: str | None
    userinfo_endpoint: str | None
    jwks_uri: str | None
    revocation_endpoint: str | None
    emails_endpoint: str | None


def read_issuer(variables: Variables, prefix: str, kind: ProviderKind, reach: Reach) -> str:
    variable = f"{prefix}_ISSUER"
    found = variables.find_text(variable)
    issuer = found or READY_MADE[kind].issuer
    if issuer is None:
        example = "https://login.example.org"
        if kind is ProviderKind.MICROSOFT:
            example = "https://login.microsoftonline.com/<tenant id>/v2.0"
        raise SettingsError(
            f"{variable} is missing or empty: set it to the provider's issuer, such as {example}."
        )
    check_url(variable, issuer, reach)
    if "?" in issuer:
        raise SettingsError(f"{variable} must not hold a query: remove it from the ? on.")
    if kind is ProviderKind.GITHUB:
        _check_github(variable, issuer)
    else:
        _check_microsoft(variable, urlsplit(issuer), kind)
    variables.note(variable, issuer, "environment" if found else "default")
    return issuer


def _check_github(variable: str, issuer: str) -> None:
    """Raise SettingsError unless it is spelt in the one way there is.

    GitHub never says its issuer, so another spelling would make strangers of everybody known.
    """
    host = urlsplit(issuer).netloc
    if issuer.endswith("/") or host != host.lower():
        raise SettingsError(
            f"{variable} must be scheme and host in lower case, without a slash at the end."
        )
    if f".{host.partition(':')[0]}".endswith(".github.com") and issuer != GITHUB_ISSUER:
        raise SettingsError(
            f"{variable} is GitHub's own in another spelling: unset it, or write {GITHUB_ISSUER}."
        )


def _check_microsoft(variable: str, issuer: SplitResult, kind: ProviderKind) -> None:
    microsoft, hostname = kind is ProviderKind.MICROSOFT, issuer.hostname
    if hostname in MICROSOFT_HOSTS and not microsoft:
        # As any other kind, its word would be taken for addresses.
        raise SettingsError(
            f"{variable} is Microsoft's: set {variable.removesuffix('ISSUER')}KIND=microsoft."
        )
    if microsoft and MICROSOFT_SHARED.intersection(issuer.path.lower().split("/")):
        raise SettingsError(
            f"{variable} is for every tenant of Microsoft's at once: name one tenant by its id "
            "instead of common, organizations or consumers."
        )
    if hostname in MICROSOFT_HOSTS and not MICROSOFT_TENANT.fullmatch(issuer.path):
        raise SettingsError(
            f"{variable} is not how Microsoft writes a tenant's issuer: end it with a slash, the "
            "tenant's id (a UUID in lower case, not its domain) and /v2.0."
        )


def read_endpoints(
    variables: Variables, prefix: str, kind: ProviderKind, issuer: str, reach: Reach
) -> Endpoints:
    """Read the endpoints that are set, or ready-made where the provider has no metadata."""
    github = kind is ProviderKind.GITHUB
    known = github_endpoints(issuer) if github else {}
    read = partial(_read_endpoint, variables, reach=reach)
    endpoint = {
        field: read(f"{prefix}_{field.upper()}", known.get(field), has_metadata=not github)
        for field in Endpoints.__annotations__
        if field != ("jwks_uri" if github else "emails_endpoint")
    }
    other, whose = ("JWKS_URI", "OpenID providers") if github else ("EMAILS_ENDPOINT", "GitHub")
    if variables.is_set(f"{prefix}_{other}"):
        raise SettingsError(f"{prefix}_{other} is for {whose} alone: unset it.")
    return Endpoints(
        authorization_endpoint=endpoint["authorization_endpoint"],
        token_endpoint=endpoint["token_endpoint"],
        userinfo_endpoint=endpoint["userinfo_endpoint"],
        jwks_uri=endpoint.get("jwks_uri"),
        revocation_endpoint=endpoint["revocation_endpoint"],
        emails_endpoint=endpoint.get("emails_endpoint"),
    )


def _read_endpoint(
    variables: Variables, variable: str, known: str | None, *, reach: Reach, has_metadata: bool
) -> str | None:
    found = variables.find_text(variable)
    if found:
        check_url(variable, found, reach)
    absent = "as in the provider's metadata" if has_metadata else "unset"
    variables.note(variable, found or known or absent, "environment" if found else "default")
    return found or known


def check_url(variable: str, url: str, reach: Reach) -> None:
    """Raise SettingsError unless it is an absolute https URL that may be reached.

    Without user information and fragment (RFC 6749, 3.1 and 3.2); plain http on this machine alone.
    """
    parts = URL.fullmatch(url)
    if not parts or not _is_authority(parts["host"], parts["port"]):
        raise SettingsError(
            f"{variable} is no plain URL: write https://, a host name and a path, without user "
            "name, password, fragment or placeholder."
        )
    host = parts["host"]
    if url.startswith("http:") and host not in PLAIN_HTTP_HOSTS:
        raise SettingsError(
            f"{variable} is plain http, which only a provider on this machine may have: use "
            "https://."
        )
    if not _is_in_reach(host, reach):
        raise SettingsError(
            f"{variable} is on this machine or in a private network: set the provider's "
            "_ALLOW_PRIVATE=1 if it really stands there."
        )


def _is_authority(host: str, port: str | None) -> bool:
    bare = host.strip("[]")
    if is_ip_address(bare):
        named = host.startswith("[") is (":" in bare)
    else:
        named = is_host_name(host.lower())
    return named and (port is None or is_port(port))


def _is_in_reach(host: str, reach: Reach) -> bool:
    if host == "localhost":
        return reach.loopback
    if not is_ip_address(bare := host.strip("[]")):
        return True
    address = ipaddress.ip_address(bare)
    return address.is_global or reach.private or (address.is_loopback and reach.loopback)
