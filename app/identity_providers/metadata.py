"""What an OpenID provider says of itself (OpenID Connect Discovery 1.0, sections 3 and 4)."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import requests

from app.config.oauth import ProviderSettings
from app.errors import ProviderUnavailable

from .addresses import reach_of, written_address
from .documents import parse_object
from .kept import Kept, Monotonic
from .limits import Budget
from .outbound import Outbound

USABLE_SECONDS = 24 * 60 * 60
"""How long metadata may serve while it cannot be refreshed."""

_URL = re.compile(r"https?://[!-~]+", re.ASCII)

BASIC, POST = "client_secret_basic", "client_secret_post"
"""How a client may authenticate (RFC 6749, section 2.3.1)."""


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """Where the provider's endpoints are, and how it likes to be asked."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str | None
    userinfo_endpoint: str | None
    revocation_endpoint: str | None
    token_auth_method: str = BASIC
    code_challenge_methods: tuple[str, ...] | None = None
    """None where it does not say."""
    announces_iss: bool = False
    """Whether its authorization responses name it (RFC 9207, section 3)."""
    was_fetched: bool = False


class MetadataSource:
    """The metadata of one provider; what its settings say of endpoints wins."""

    def __init__(
        self, settings: ProviderSettings, outbound: Outbound, monotonic: Monotonic
    ) -> None:
        self._settings = settings
        self._outbound = outbound
        self._kept = Kept(
            self._fetch,
            usable_seconds=USABLE_SECONDS,
            patience_seconds=outbound.limits.wait_seconds,
            monotonic=monotonic,
        )
        self._configured = _complete(settings)

    def get(self, budget: Budget) -> Metadata:
        """Return what holds now; raises ProviderUnavailable."""
        return self._configured or self._kept.get(budget)

    def _fetch(self, budget: Budget) -> Metadata:
        # "any terminating / MUST be removed" (section 4.1)
        url = self._settings.issuer.removesuffix("/") + "/.well-known/openid-configuration"
        response = self._outbound.get(url, budget=budget, headers={"Accept": "application/json"})
        return read_metadata(read_object(response, "metadata"), self._settings)


def read_object(response: requests.Response, what: str) -> dict[str, object]:
    """Read the JSON object of a successful response; raises ProviderUnavailable."""
    if response.status_code != requests.codes.ok:
        raise ProviderUnavailable(reason=f"its {what} has status {response.status_code}")
    try:
        return parse_object(response.content)
    except ValueError as error:
        raise ProviderUnavailable(reason=f"its {what} is not one JSON object") from error


def read_metadata(document: dict[str, object], settings: ProviderSettings) -> Metadata:
    """Take what is needed out of the document; raises ProviderUnavailable.

    The issuer must be exactly the one that is configured (section 4.3): otherwise whoever serves
    the document could speak for another provider.
    """
    if document.get("issuer") != settings.issuer:
        raise ProviderUnavailable(reason=f"its metadata is not that of {settings.issuer}")
    supports_iss = document.get("authorization_response_iss_parameter_supported")
    return Metadata(
        authorization_endpoint=_required("authorization_endpoint", document, settings),
        token_endpoint=_required("token_endpoint", document, settings),
        jwks_uri=_required("jwks_uri", document, settings),
        userinfo_endpoint=_find("userinfo_endpoint", document, settings),
        revocation_endpoint=_find("revocation_endpoint", document, settings),
        token_auth_method=_auth_method(document),
        code_challenge_methods=_texts(document, "code_challenge_methods_supported"),
        announces_iss=supports_iss is True,
        was_fetched=True,
    )


def configured_metadata(settings: ProviderSettings, *, token_auth_method: str = BASIC) -> Metadata:
    """Build it from the settings alone; raises ProviderUnavailable where they do not suffice."""
    if settings.authorization_endpoint is None or settings.token_endpoint is None:
        raise ProviderUnavailable(reason="its endpoints are not configured")
    return Metadata(
        authorization_endpoint=settings.authorization_endpoint,
        token_endpoint=settings.token_endpoint,
        jwks_uri=settings.jwks_uri,
        userinfo_endpoint=settings.userinfo_endpoint,
        revocation_endpoint=settings.revocation_endpoint,
        token_auth_method=token_auth_method,
    )


def _complete(settings: ProviderSettings) -> Metadata | None:
    needed = (settings.authorization_endpoint, settings.token_endpoint, settings.jwks_uri)
    return configured_metadata(settings) if all(needed) else None


def _required(name: str, document: dict[str, object], settings: ProviderSettings) -> str:
    url = _find(name, document, settings)
    if url is None:
        raise ProviderUnavailable(reason=f"its metadata has no {name}")
    return url


def _find(name: str, document: dict[str, object], settings: ProviderSettings) -> str | None:
    configured: str | None = getattr(settings, name)
    url = document.get(name)
    if configured is not None or url is None:
        return configured
    if not isinstance(url, str) or not is_endpoint(url, plain=settings.allow_loopback):
        raise ProviderUnavailable(reason=f"its metadata has a {name} that cannot be used")
    _check_reach(name, url, settings)
    return url


def _check_reach(name: str, url: str, settings: ProviderSettings) -> None:
    """Raise ProviderUnavailable where it would be refused on connecting, whatever names mean then.

    The metadata would be kept until then, and for an hour.
    """
    reach, address = reach_of(settings), written_address(urlsplit(url).hostname or "")
    if address is not None and not reach.allows(address):
        raise ProviderUnavailable(
            reason=f"its metadata has a {name} at {address}, which is not a public address: "
            f"if it really stands there, {reach.variable} allows it"
        )


def is_endpoint(url: str, *, plain: bool) -> bool:
    """Whether it is an absolute https URL without user information and fragment.

    Plain http is allowed to this machine alone, and only where `plain` says so.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not _URL.fullmatch(url) or not host or "@" in parts.netloc or "#" in url or "\\" in url:
        return False
    return parts.scheme == "https" or (plain and _is_this_machine(host))


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _auth_method(document: dict[str, object]) -> str:
    """Choose how the client authenticates: by basic, the default, unless only post is taken."""
    methods = _texts(document, "token_endpoint_auth_methods_supported") or ()
    return POST if POST in methods and BASIC not in methods else BASIC


def _texts(document: dict[str, object], name: str) -> tuple[str, ...] | None:
    found = document.get(name)
    if not isinstance(found, list):
        return None
    return tuple(each for each in found if isinstance(each, str))
