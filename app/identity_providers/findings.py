"""What ``flask oauth check`` finds out about a provider, without a person to sign in."""

import secrets
from collections import Counter
from collections.abc import Iterator
from typing import Protocol

from app.config.oauth import ProviderSettings
from app.errors import ProviderUnavailable

from .keys import KeySource
from .limits import Budget, Limits
from .metadata import Metadata
from .token_endpoint import INVALID_GRANTS, TokenEndpoint
from .values import Finding

REFUSED_CLIENTS = frozenset(
    {"invalid_client", "unauthorized_client", "incorrect_client_credentials"}
)


class Examined(Protocol):
    """What is needed of a provider's protocol."""

    token_endpoint: TokenEndpoint

    def metadata(self, budget: Budget, /) -> Metadata:
        """Raise ProviderUnavailable."""


def check_openid(
    settings: ProviderSettings, provider: Examined, keys: KeySource, limits: Limits
) -> Iterator[Finding]:
    """Try metadata, keys and the client's credentials of an OpenID provider."""
    try:
        metadata = provider.metadata(Budget(limits.operation_seconds))
    except ProviderUnavailable as error:
        yield _fails("Its metadata cannot be used", error)
        return
    yield from _describe(metadata, settings)
    yield _check_keys(keys, Budget(limits.operation_seconds))
    yield _check_credentials(provider, metadata, Budget(limits.operation_seconds))


def check_github(provider: Examined, limits: Limits) -> Iterator[Finding]:
    """Try the client's credentials at GitHub, which has no metadata and no keys."""
    budget = Budget(limits.operation_seconds)
    try:
        metadata = provider.metadata(budget)
    except ProviderUnavailable as error:
        yield _fails("It cannot be used", error)
        return
    yield _check_credentials(provider, metadata, budget)


def _describe(metadata: Metadata, settings: ProviderSettings) -> Iterator[Finding]:
    if not metadata.was_fetched:
        yield _works("All its endpoints are configured, so its metadata is not needed.")
        return
    yield _works(f"Its metadata was fetched, and is that of {settings.issuer}.")
    yield _works(f"People are sent to {_without_query(metadata.authorization_endpoint)}.")
    methods = metadata.code_challenge_methods
    if methods is None:
        yield _works("It does not say whether it takes PKCE; it is used all the same.")
    elif "S256" in methods:
        yield _works("It takes PKCE with S256.")
    else:
        yield Finding(works=False, sentence="It says that it does not take PKCE with S256.")
    names = "names itself" if metadata.announces_iss else "does not say that it names itself"
    yield _works(f"It {names} in its authorization responses (RFC 9207).")


def _check_keys(keys: KeySource, budget: Budget) -> Finding:
    try:
        found = keys.get(budget)
    except ProviderUnavailable as error:
        return _fails("Its keys cannot be had", error)
    if not found:
        return Finding(works=False, sentence="None of its keys can be used for ID tokens.")
    counts = Counter(name for key in found for name in key.algorithms)
    listed = ", ".join(f"{name} ({counts[name]})" for name in sorted(counts))
    return _works(f"{len(found)} of its keys can be used, for these algorithms: {listed}.")


def _check_credentials(provider: Examined, metadata: Metadata, budget: Budget) -> Finding:
    """See which error a code that was never issued meets: the client is looked at first."""
    try:
        code = secrets.token_urlsafe(32)
        error = provider.token_endpoint.try_code(metadata, budget, code=code)
    except ProviderUnavailable as unavailable:
        return _fails("Its token endpoint cannot be used", unavailable)
    if error in INVALID_GRANTS:
        return _works("Its token endpoint takes the client's credentials.")
    if error in REFUSED_CLIENTS:
        sentence = (
            f"Its token endpoint refuses the client's credentials ({error}): check client id and "
            "secret."
        )
        return Finding(works=False, sentence=sentence)
    sentence = f"Its token endpoint answers a code that was never issued with {error}."
    return Finding(works=False, sentence=sentence)


def _works(sentence: str) -> Finding:
    return Finding(works=True, sentence=sentence)


def _fails(what: str, error: ProviderUnavailable) -> Finding:
    return Finding(works=False, sentence=f"{what}: {error.reason or error}.")


def _without_query(url: str) -> str:
    return url.partition("?")[0]
