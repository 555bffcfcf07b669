"""Lies in a provider's metadata, and in how it sends the browser back (RFC 8414, RFC 9207)."""

from tests.support.jws import random_text
from tests.support.lie import Lie, Reply, Teller, Told, says


def _metadata(name: str, covers: str, bend: Reply, *, accepted: bool = False) -> Lie:
    expected = None if accepted else "provider_unavailable"
    return Lie(name=f"metadata-{name}", covers=(covers,), expected=expected, metadata=bend)


def _response(name: str, covers: str, expected: str, **members: object) -> Lie:
    return Lie(name=name, covers=(covers,), expected=expected, authorization=says(**members))


def _error(name: str, expected: str, error: str) -> Lie:
    return _response(name, "client-test", expected, code=None, error=error)


def _issuer_with_slash(teller: Teller, told: Told) -> Told:
    return {**told, "issuer": f"{teller.issuer}/"}


def _without_iss(_: Teller, told: Told) -> Told:
    return {name: value for name, value in told.items() if name != "iss"}


METADATA = (
    _metadata("foreign-issuer", "CVE-2026-104056", says(issuer="https://issuer.example")),
    _metadata("issuer-with-slash", "CVE-2026-104056", _issuer_with_slash),
    _metadata("issuer-missing", "CVE-2026-104056", says(issuer=None)),
    _metadata("issuer-list", "CVE-2026-75509", lambda t, told: {**told, "issuer": [t.issuer]}),
    _metadata("token-endpoint-missing", "CVE-2026-104056", says(token_endpoint=None)),
    _metadata("token-endpoint-number", "CVE-2026-104056", says(token_endpoint=1)),
    _metadata("token-endpoint-file", "A16", says({"token_endpoint": "file:///etc/passwd"})),
    _metadata(
        "token-endpoint-link-local", "A16", says({"token_endpoint": "https://169.254.169.254/"})
    ),
    _metadata("token-endpoint-http", "A16", says({"token_endpoint": "http://192.0.2.1/token"})),
    _metadata("keys-link-local", "A16", says(jwks_uri="https://169.254.169.254/keys")),
    _metadata("script", "CVE-2026-104056", says(authorization_endpoint="javascript:alert(1)")),
    _metadata(
        "basic-only",
        "client-secret-basic",
        says(token_endpoint_auth_methods_supported=["client_secret_basic"]),
        accepted=True,
    ),
    _metadata(
        "post-only",
        "client-secret-basic",
        says(token_endpoint_auth_methods_supported=["client_secret_post"]),
        accepted=True,
    ),
)
RESPONSES = (
    _response(
        "iss-response-wrong", "CVE-2026-73419", "identity_rejected", iss="https://issuer.example"
    ),
    _response("iss-response-empty", "CVE-2026-73419", "identity_rejected", iss=""),
    Lie(
        name="iss-response-missing",
        covers=("CVE-2026-73419",),
        authorization=_without_iss,
    ),
    Lie(
        name="iss-response-missing-and-not-announced",
        covers=("client-test",),
        expected=None,
        metadata=says(authorization_response_iss_parameter_supported=None),
        authorization=_without_iss,
    ),
    _response("state-missing", "CVE-2026-81888", "authorization_request_unusable", state=None),
    _response("state-empty", "CVE-2026-81888", "authorization_request_unusable", state=""),
    Lie(
        name="state-changed",
        covers=("CVE-2026-41425",),
        expected="authorization_request_unusable",
        authorization=lambda _, told: {**told, "state": random_text()},
    ),
    Lie(
        name="code-unknown",
        covers=("CVE-2026-73431",),
        expected="grant_invalid",
        authorization=lambda _, told: {**told, "code": random_text()},
    ),
    _error("access-denied", "authorization_denied", "access_denied"),
    _error("server-error", "provider_unavailable", "server_error"),
    _error("temporarily-unavailable", "provider_unavailable", "temporarily_unavailable"),
)
LIES = (*METADATA, *RESPONSES)
"""All of them."""
