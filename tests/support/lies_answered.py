"""Answers to the service's own requests that are wrong, unreadable, or without end."""

from collections.abc import Callable, Mapping

from tests.support import broken_answers as broken
from tests.support.lie import Lie, Reply, answers, honestly, says
from tests.support.loopback_http import Answer, as_json

_UNREADABLE: Mapping[str, Callable[[], Answer]] = {
    "html": broken.html,
    "html-404": lambda: broken.html(404),
    "500": lambda: as_json({"error": "server_error"}, status=500),
    "503": lambda: broken.html(503),
    "100-mib": broken.huge,
    "100-mib-unannounced": broken.huge_unannounced,
    "endless": broken.endless,
    "gzip-bomb": broken.gzip_bomb,
    "redirect": broken.redirecting(307),
    "closes": broken.hanging_up,
    "cut-short": broken.cut_short,
    "nested": broken.nested,
    "not-utf8": broken.not_utf8,
    "array": broken.array,
}
_WITHOUT_END: Mapping[str, Callable[[], Answer]] = {
    "dribbling": broken.dribbling,
    "dribbling-headers": broken.dribbling_headers,
    "silent": broken.silent,
}


HOOKS = ("metadata", "keys", "tokens", "userinfo")


def _unavailable(hook: str, name: str, answer: Callable[[], Answer]) -> Lie:
    reply = answers(answer)
    return Lie(
        name=f"{hook}-{name}",
        covers=("A16", "CVE-2025-61920"),
        expected="provider_unavailable",
        is_slow=name in _WITHOUT_END,
        metadata=reply if hook == "metadata" else honestly,
        keys=reply if hook == "keys" else honestly,
        tokens=reply if hook == "tokens" else honestly,
        userinfo=reply if hook == "userinfo" else honestly,
    )


def _tokens(name: str, expected: str | None, bend: Reply) -> Lie:
    return Lie(name=name, covers=("A16",), expected=expected, tokens=bend)


def _userinfo(name: str, covers: str, bend: Reply, *, proves: bool | None = None) -> Lie:
    expected = "identity_rejected" if proves is None else None
    return Lie(
        name=f"userinfo-{name}",
        covers=(covers,),
        expected=expected,
        proves_address=bool(proves),
        userinfo=bend,
    )


def _signed_userinfo() -> Answer:
    return Answer(headers={"Content-Type": "application/jwt"}, body=b"e30.e30.c2lnbmF0dXJl")


ENDPOINTS = tuple(
    _unavailable(hook, name, answer)
    for hook in HOOKS
    for name, answer in {**_UNREADABLE, **_WITHOUT_END}.items()
)
TOKENS = (
    _tokens("no-id-token", "identity_rejected", says(id_token=None)),
    _tokens("id-token-empty", "identity_rejected", says(id_token="")),
    _tokens("id-token-number", "identity_rejected", says(id_token=1)),
    _tokens("id-token-words", "identity_rejected", says({"id_token": "not.a.token"})),
    _tokens("token-type-mac", "provider_unavailable", says({"token_type": "mac"})),
    _tokens("token-type-missing", "provider_unavailable", says(token_type=None)),
    _tokens("token-type-lower-case", None, says({"token_type": "bearer"})),
    _tokens("access-token-missing", "provider_unavailable", says(access_token=None)),
    _tokens("access-token-number", "provider_unavailable", says(access_token=1)),
    _tokens("expires-in-missing", None, says(expires_in=None)),
    _tokens("expires-in-text", None, says(expires_in="3600")),
    _tokens("expires-in-absurd", None, says(expires_in=10**30)),
    _tokens("refresh-token-missing", None, says(refresh_token=None)),
    _tokens(
        "code-refused",
        "grant_invalid",
        answers(lambda: as_json({"error": "invalid_grant"}, status=400)),
    ),
    _tokens(
        "client-refused",
        "provider_unavailable",
        answers(lambda: as_json({"error": "invalid_client"}, status=401)),
    ),
)
USERINFO = (
    _userinfo("invalid-sub", "userinfo-invalid-sub", says(sub="somebody-else")),
    _userinfo("missing-sub", "userinfo-invalid-sub", says(sub=None)),
    _userinfo("sub-with-space", "CVE-2025-61783", says(sub="248289761001 ")),
    _userinfo("email-verified-text", "CVE-2025-61783", says(email_verified="true"), proves=False),
    _userinfo("email-verified-one", "CVE-2025-61783", says(email_verified=1), proves=False),
    _userinfo("email-verified-missing", "CVE-2025-61783", says(email_verified=None), proves=False),
    _userinfo("email-verified-false", "CVE-2025-61783", says(email_verified=False), proves=False),
    _userinfo("email-missing", "CVE-2025-61783", says(email=None), proves=False),
    _userinfo(
        "two-emails", "CVE-2022-35924", says(email="jane@example.org,a@b.example"), proves=False
    ),
    _userinfo(
        "email-fullwidth", "CVE-2026-73420", says(email="jane\uff20example.org"), proves=False
    ),
    _userinfo("email-list", "CVE-2022-35924", says(email=["jane@example.org"]), proves=False),
    Lie(
        name="userinfo-signed",
        covers=("scope-userinfo-claims",),
        expected="provider_unavailable",
        userinfo=answers(_signed_userinfo),
    ),
)
LIES = (*ENDPOINTS, *TOKENS, *USERINFO)
"""All of them."""
