"""Hostile responses made by Hypothesis, with the structure that real ones have.

Whatever is bent, nothing but the two refusals comes out (A3, WA-X1), and what is accepted all the
same says what the honest response said.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.relying_party import RelyingParty
from tests.support.authenticator import (
    EDDSA,
    ES256,
    OMIT,
    RS256,
    Authenticator,
    Json,
    Twists,
    decode,
    encode,
)
from tests.support.ceremonies import (
    ORIGIN,
    RP,
    assertion_refusal,
    attestation_refusal,
    authenticate,
    creation_options,
    register,
    request_options,
    stored,
)
from tests.support.counts import trials

EXAMPLES = settings(max_examples=trials(1000), deadline=None)
ALGORITHMS = {"EdDSA": EDDSA, "ES256": ES256, "RS256": RS256}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec=None), max_size=8)
    | st.sampled_from(["", "AA", "AA==", "public-key", "webauthn.get", ORIGIN]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
members = json_values | st.just(OMIT)
cbor_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=4)
    | st.binary(max_size=40)
    | st.sampled_from([-7, -8, -257, 1, 2, 3, cbor2.undefined, cbor2.CBORSimpleValue(99)]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.integers() | st.text(max_size=2), inner, max_size=3)
        | st.builds(cbor2.CBORTag, st.sampled_from([0, 2, 4, 28, 29, 30, 35, 999]), inner)
    ),
    max_leaves=4,
)


@st.composite
def bent_bytes(draw: st.DrawFn, honest: bytes) -> bytes:
    """Flip, cut, insert or exchange a few bytes."""
    at = draw(st.integers(0, len(honest)))
    cut = draw(st.sampled_from([0, 0, 1, 1, 2, 32, len(honest)]))
    put = draw(st.binary(max_size=3) | st.sampled_from([b"\xff" * 9, b"\x81" * 40, b"\xa0"]))
    return honest[:at] + put + honest[at + cut :]


@st.composite
def bent_credential(draw: st.DrawFn, honest: Json) -> Json:
    """Bend one member of the credential or its response: its bytes, or all of it."""
    response = dict(honest["response"])
    credential = {**honest, "response": response}
    where = draw(st.sampled_from([credential, response]))
    name = draw(st.sampled_from(sorted(where)))
    value = where[name]
    if isinstance(value, str) and draw(st.booleans()):
        where[name] = encode(draw(bent_bytes(decode(value)))) if value else draw(members)
    else:
        where[name] = draw(members)
    if where[name] is OMIT:
        del where[name]
    return credential


@cache
def enrolled(algorithm: int) -> tuple[Authenticator, Json, Json]:
    """An authenticator, its honest registration (signed by the key itself), and an assertion."""
    authenticator = Authenticator(origin=ORIGIN, algorithm=algorithm, attestation="packed")
    created = authenticator.create(creation_options())
    return authenticator, created, authenticator.get(request_options())


def without_hints(credential: Json) -> Any:  # noqa: ANN401
    return replace(register(credential), transports=())


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
@EXAMPLES
@given(data=st.data())
def test_bent_registration_is_refused_or_means_the_same(
    algorithm: int, data: st.DataObject
) -> None:
    _, honest, _ = enrolled(algorithm)
    credential = data.draw(bent_credential(honest))

    if attestation_refusal(credential) is None:
        assert without_hints(credential) == without_hints(honest)
    RelyingParty.challenge_of(credential)
    RelyingParty.credential_id_of(credential)


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
@EXAMPLES
@given(data=st.data())
def test_bent_assertion_is_refused_or_means_the_same(algorithm: int, data: st.DataObject) -> None:
    _, created, honest = enrolled(algorithm)
    key = stored(register(created))
    credential = data.draw(bent_credential(honest))

    if assertion_refusal(credential, key) is None:
        assert authenticate(credential, key) == authenticate(honest, key)
        assert signed_parts(credential) == signed_parts(honest)
    RelyingParty.challenge_of(credential)
    RelyingParty.credential_id_of(credential)


def signed_parts(credential: Json) -> list[str]:
    response = credential["response"]
    names = ("clientDataJSON", "authenticatorData", "signature", "userHandle")
    return [credential["id"], *(response[name] for name in names)]


@EXAMPLES
@given(data=st.data())
def test_signed_registration_with_a_bent_key_is_refused(data: st.DataObject) -> None:
    """The key proves possession of itself, so that no other key can be accepted in its place."""
    authenticator, honest, _ = enrolled(ES256)
    original = authenticator.credentials[RP.rp_id][0]
    label = data.draw(st.sampled_from([*original.cose_key, 0, 4, True, "x"]))
    parameters: dict[Any, object] = {**original.cose_key, label: data.draw(cbor_values)}
    key = data.draw(st.just(cbor2.dumps(parameters)) | bent_bytes(cbor2.dumps(parameters)))

    credential = Authenticator(origin=ORIGIN, attestation="packed").create(
        creation_options(), cose_key=key
    )

    assert register(honest).public_key == cbor2.dumps(original.cose_key)
    assert attestation_refusal(credential)


twisted = st.fixed_dictionaries(
    {},
    optional={
        "client_data": st.dictionaries(
            st.sampled_from(
                ["type", "challenge", "origin", "crossOrigin", "topOrigin", "tokenBinding", "x"]
            ),
            members,
            min_size=1,
        ),
        "client_data_json": st.binary(max_size=40),
        "flags": st.integers(0, 255),
        "sign_count": st.integers(0, 2**32 - 1),
        "extensions": st.binary(max_size=9) | cbor_values.map(cbor2.dumps),
        "after_authenticator_data": st.binary(max_size=9),
        "attestation": st.dictionaries(
            st.sampled_from(["fmt", "attStmt", "authData", "x"]), cbor_values, min_size=1
        ),
        "cose_key": st.dictionaries(
            st.sampled_from([1, 3, -1, -2, -3, 4, "x"]), cbor_values, max_size=6
        ),
        "credential_id": st.binary(max_size=1100),
        "signature": st.binary(max_size=80),
        "user_handle": st.none() | st.binary(max_size=70),
    },
)


@pytest.mark.parametrize("algorithm", [EDDSA, ES256], ids=["EdDSA", "ES256"])
@EXAMPLES
@given(twists=twisted)
def test_twisted_registration_is_accepted_or_refused_and_nothing_else(
    algorithm: int, twists: Twists
) -> None:
    """Unsigned (format none), so that what is bent inside gets as far as it can."""
    authenticator = Authenticator(origin=ORIGIN, algorithm=algorithm)

    reason = attestation_refusal(authenticator.create(creation_options(), **twists))

    assert reason is None or reason.isprintable()


@pytest.mark.parametrize("algorithm", [EDDSA, ES256], ids=["EdDSA", "ES256"])
@EXAMPLES
@given(twists=twisted)
def test_twisted_assertion_is_accepted_or_refused_and_nothing_else(
    algorithm: int, twists: Twists
) -> None:
    """Signed after twisting by the owner's key."""
    authenticator, created, _ = enrolled(algorithm)
    key = stored(register(created))

    reason = assertion_refusal(authenticator.get(request_options(), **twists), key)

    assert reason is None or reason.isprintable()


spoilt_keys: dict[str, Callable[[bytes], st.SearchStrategy[bytes]]] = {
    "bent": bent_bytes,
    "binary": lambda _: st.binary(max_size=80),
    "structured": lambda honest: st.dictionaries(
        st.sampled_from([1, 3, -1, -2, -3]), cbor_values
    ).map(lambda parameters: cbor2.dumps({**cbor2.loads(honest), **parameters})),
}


@pytest.mark.parametrize("spoil", spoilt_keys.values(), ids=spoilt_keys)
@EXAMPLES
@given(data=st.data())
def test_spoilt_key_on_record_refuses_instead_of_failing(
    spoil: Callable[[bytes], st.SearchStrategy[bytes]], data: st.DataObject
) -> None:
    _, created, assertion = enrolled(data.draw(st.sampled_from([EDDSA, ES256, RS256])))
    key = stored(register(created))
    assert assertion_refusal(assertion, key) is None

    spoilt = replace(key, public_key=data.draw(spoil(key.public_key)))

    if assertion_refusal(assertion, spoilt) is None:
        honest = cbor2.loads(key.public_key)
        assert honest.items() <= cbor2.loads(spoilt.public_key).items()
