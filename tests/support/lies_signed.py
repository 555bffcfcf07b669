"""Lies in how ID tokens are signed (OpenID Core section 3.1.3.7, RFC 7515)."""

import json
from collections.abc import Callable

from tests.support.jws import claims_of, encode, hmac_signed, random_text, signing_input
from tests.support.lie import Lie, Reply, Teller, Told, honestly, says
from tests.support.lies_keyed import foreign_key, with_header
from tests.support.loopback_http import Answer, as_json

OPEN_SECRET = b"a secret that everybody can read in the key set"


def _offering(*algorithms: str) -> Reply:
    return lambda _, told: {**told, "id_token_signing_alg_values_supported": [*algorithms]}


def _with(name: str, row: str, **header: object) -> Lie:
    return Lie(
        name=name,
        covers=(row,),
        id_token=lambda teller, claims: with_header(teller, claims, header),
    )


def _by_key_elsewhere(member: str, answer: Callable[[], Answer]) -> Lie:
    return Lie(
        name=f"{member}-header",
        covers=("CVE-2026-28802",),
        id_token=lambda teller, claims: foreign_key().sign(
            claims, header={member: f"{teller.issuer}/foreign-keys"}
        ),
        elsewhere={"/foreign-keys": answer},
    )


def _hmac(name: str, secret: Callable[[Teller], bytes], keys: Reply = honestly) -> Lie:
    return Lie(
        name=name,
        covers=("CVE-2026-28802",),
        metadata=_offering("HS256", "RS256"),
        keys=keys,
        id_token=lambda teller, claims: hmac_signed(secret(teller), claims, kid=teller.key.kid),
    )


def _open_secret(teller: Teller, _: Told) -> Told:
    members = {"kty": "oct", "k": encode(OPEN_SECRET), "kid": teller.key.kid, "alg": "HS256"}
    return {"keys": [members]}


def _foreign_certificate() -> Answer:
    return Answer(
        headers={"Content-Type": "application/x-pem-file"}, body=foreign_key().certificate()
    )


def _with_own_key(_: Teller, claims: Told) -> str:
    return foreign_key().sign(claims, header={"jwk": foreign_key().public_jwk()})


def _unsigned(_: Teller, claims: Told) -> str:
    return signing_input({"alg": "none", "typ": "JWT"}, claims) + "."


def _damaged(teller: Teller, claims: Told) -> str:
    signed, _, last = teller.key.sign(claims).rpartition(".")
    return f"{signed}.{('B' if last[0] == 'A' else 'A') + last[1:]}"


def _changed_afterwards(teller: Teller, claims: Told) -> str:
    header, _, last = teller.key.sign(claims).split(".")
    return f"{header}.{encode(json.dumps({**claims, 'sub': 'somebody-else'}).encode())}.{last}"


def _flattened(teller: Teller, claims: Told) -> Told:
    protected, payload, last = teller.key.sign(claims).split(".")
    return {"payload": payload, "protected": protected, "signature": last}


def _general(teller: Teller, claims: Told) -> Told:
    protected, payload, last = teller.key.sign(claims).split(".")
    return {"payload": payload, "signatures": [{"protected": protected, "signature": last}]}


def _earlier(teller: Teller, claims: Told) -> str:
    nonce = claims.get("nonce")
    before = [token for token in teller.issued if claims_of(token).get("nonce") != nonce]
    return before[0] if before else teller.key.sign({**claims, "nonce": random_text()})


LIES = (
    Lie(
        name="sig-none",
        covers=("sig-none", "CVE-2026-28802"),
        metadata=_offering("none", "RS256"),
        id_token=_unsigned,
    ),
    Lie(name="sig-none-not-offered", covers=("CVE-2026-28802",), id_token=_unsigned),
    Lie(name="invalid-sig-rs256", covers=("invalid-sig-rs256",), id_token=_damaged),
    Lie(name="changed-after-signing", covers=("CVE-2026-28802",), id_token=_changed_afterwards),
    Lie(
        name="signed-by-another-key",
        covers=("CVE-2026-28802",),
        id_token=lambda teller, claims: foreign_key().sign(claims, header={"kid": teller.key.kid}),
    ),
    Lie(
        name="empty-signature",
        covers=("CVE-2026-28802",),
        id_token=lambda teller, claims: teller.key.sign(claims).rpartition(".")[0] + ".",
    ),
    Lie(name="json-flattened", covers=("CVE-2026-28802",), id_token=_flattened),
    Lie(
        name="json-flattened-as-text",
        covers=("CVE-2026-28802",),
        id_token=lambda teller, claims: json.dumps(_flattened(teller, claims)),
    ),
    Lie(
        name="json-general-as-text",
        covers=("CVE-2026-28802",),
        id_token=lambda teller, claims: json.dumps(_general(teller, claims)),
    ),
    Lie(name="replayed-id-token", covers=("CVE-2025-46815",), id_token=_earlier),
    _hmac("hs256-client-secret", lambda teller: teller.client_secret.encode()),
    _hmac("hs256-public-key", lambda teller: teller.key.public_pem()),
    _hmac("hs256-empty-key", lambda _: b""),
    _hmac("hs256-key-in-the-set", lambda _: OPEN_SECRET, keys=_open_secret),
    Lie(name="jwk-header", covers=("CVE-2026-28802",), id_token=_with_own_key),
    _by_key_elsewhere("jku", lambda: as_json({"keys": [foreign_key().public_jwk()]})),
    _by_key_elsewhere("x5u", _foreign_certificate),
    Lie(name="17-kib", covers=("CVE-2025-61920",), claims=says(padding="a" * 13 * 1024)),
    Lie(
        name="15-kib",
        covers=("CVE-2025-61920",),
        expected=None,
        claims=says(padding="a" * 11 * 1024),
    ),
    _with("crit-unknown", "CVE-2025-59420", crit=["exp-policy"], **{"exp-policy": "strict"}),
    _with("crit-empty", "CVE-2025-59420", crit=[]),
    _with("unencoded-payload", "CVE-2025-59420", crit=["b64"], b64=False),
    _with("kid-number", "CVE-2026-28802", kid=1),
    _with("alg-list", "CVE-2026-28802", alg=["RS256"]),
    _with("alg-missing", "CVE-2026-28802", alg=None),
    _with("type-of-access-tokens", "CVE-2026-55669", typ="at+jwt"),
    _with("type-of-logout-tokens", "CVE-2026-55669", typ="logout+jwt"),
)
"""All of them."""
