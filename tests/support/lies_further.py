"""Lies that only a whole service can show to be without effect, and further ones of old kinds."""

from tests.support import broken_answers as broken
from tests.support.lie import Lie, Teller, Told, answers, honestly
from tests.support.lies_answered import HOOKS

STATUSES = (301, 302, 303, 308)
"""Of the redirects beside 307, which is among the broken answers."""


def _redirect(hook: str, status: int) -> Lie:
    reply = answers(broken.redirecting(status))
    return Lie(
        name=f"{hook}-redirect-{status}",
        covers=("A16",),
        expected="provider_unavailable",
        metadata=reply if hook == "metadata" else honestly,
        keys=reply if hook == "keys" else honestly,
        tokens=reply if hook == "tokens" else honestly,
        userinfo=reply if hook == "userinfo" else honestly,
    )


def _general_without_signatures(teller: Teller, claims: Told) -> Told:
    payload = teller.key.sign(claims).split(".")[1]
    return {"payload": payload, "signatures": []}


def _implicit(teller: Teller, told: Told) -> Told:
    """Answer as to ``response_type=id_token token``, which nobody asked for."""
    claims = {"iss": teller.issuer, "sub": "248289761001", "aud": teller.client_id}
    kept = {name: value for name, value in told.items() if name != "code"}
    return {**kept, "id_token": teller.key.sign(claims), "access_token": "an-access-token"}


REDIRECTS = tuple(_redirect(hook, status) for status in STATUSES for hook in HOOKS)
JSON_WITHOUT_SIGNATURES = Lie(
    name="json-general-without-signatures",
    covers=("CVE-2026-28802",),
    id_token=_general_without_signatures,
)
IMPLICIT_ANSWER = Lie(name="implicit-answer", covers=("OA-5",), authorization=_implicit)
LIES = (*REDIRECTS, JSON_WITHOUT_SIGNATURES, IMPLICIT_ANSWER)
"""All of them."""
