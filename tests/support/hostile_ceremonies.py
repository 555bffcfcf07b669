"""Real ceremonies with one thing wrong, made by Hypothesis with the structure of ceremonies.

A `Case` says what is wrong and how that is refused. What is bent before signing (`twists`,
`client_data`) is signed by the rightful key; what is bent afterwards (`spoil`) is not, unless
nothing signs it at all, as in a registration without attestation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from app.models import Purpose
from tests.support.authenticator import OMIT, Json, Twists, decode, encode
from tests.support.hostile_bytes import (
    SPARE_BITS,
    Noise,
    Spelling,
    malformed,
    noises,
    refused_bodies,
)
from tests.support.variables import ORIGIN

Refusal = tuple[int, str]

MALFORMED: Refusal = (400, "malformed_request")
INVALID: Refusal = (422, "invalid_body")
UNUSABLE: Refusal = (400, "challenge_unusable")
REJECTED: Mapping[Purpose, Refusal] = {
    Purpose.REGISTRATION: (400, "attestation_rejected"),
    Purpose.ENROLMENT: (400, "attestation_rejected"),
    Purpose.AUTHENTICATION: (401, "assertion_rejected"),
    Purpose.REAUTHENTICATION: (401, "assertion_rejected"),
}
CREATING = frozenset({Purpose.REGISTRATION, Purpose.ENROLMENT})


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is wrong with a ceremony, and how that is refused; as it stands, nothing is wrong."""

    refusals: frozenset[Refusal] = frozenset()
    twists: Twists = field(default_factory=Twists)
    client_data: Spelling | None = None
    spoil: Callable[[Json], None] | None = None
    members: Mapping[str, object] = field(default_factory=dict)
    """Of the body, beside the credential or in its place."""
    body: Spelling | None = None
    self_signed: bool = False
    """A registration that its own key signs (attestation "packed")."""


Cases = st.SearchStrategy[Case]
Kinds = Sequence[Cases]
"""What can be wrong, each kind tried as often as every other."""


@dataclass(frozen=True)
class Spoil:
    """Changes the text of a member of the credential or of its response; "ids" are both of them."""

    member: str
    change: Callable[[str], str]

    def __call__(self, credential: Json) -> None:
        for member in ("id", "rawId") if self.member == "ids" else (self.member,):
            where = credential if member in credential else credential["response"]
            where[member] = self.change(where[member])


@dataclass(frozen=True)
class InBytes:
    """Changes the bytes that a text stands for."""

    change: Callable[[bytes], bytes]

    def __call__(self, text: str) -> str:
        return encode(self.change(decode(text)))


def refused(purpose: Purpose, **what: Any) -> Case:  # noqa: ANN401 - as Case takes it
    """Give a case that is refused for what the response says."""
    return Case(refusals=frozenset({REJECTED[purpose]}), **what)


def unreadable(**what: Any) -> Case:  # noqa: ANN401 - as Case takes it
    """Give a case whose challenge nobody can read, or nobody knows."""
    return Case(refusals=frozenset({UNUSABLE}), **what)


VALUES: tuple[object, ...] = (
    *(True, 0, -1, 2**63, 1.5, "", "AA", "AA==", "x" * 5000, "public-key\n", "\U0001f4a5"),
    *({}, {"a": 1}, [], ["AA"], [[[[[]]]]]),
)
values = st.sampled_from([OMIT, None, *VALUES])
NO_LISTS = st.sampled_from([value for value in VALUES if not isinstance(value, list)])
NAMES: tuple[object, ...] = ("", " ", "x" * 101, "two\nlines", "a\u202eb", 7, [], {"name": "x"})
ORIGINS: tuple[object, ...] = (
    *("", "null", "localhost", ORIGIN + "/", ORIGIN + " ", " " + ORIGIN, ORIGIN.upper()),
    *(ORIGIN.replace("http", "https"), ORIGIN[:-1], ORIGIN + "0", ORIGIN.replace("8000", "08000")),
    *(ORIGIN + ".evil.test", ORIGIN.replace("//", "//evil."), ORIGIN.replace("//", "//a@")),
    *(ORIGIN.replace("localhost", "127.0.0.1"), ORIGIN.replace("o", "\u043e"), [ORIGIN]),
)
TYPES = ("webauthn", "payment.get", "webauthn.", "WEBAUTHN.GET", " webauthn.get", "webauthn.get\0")


def read_members(purpose: Purpose) -> tuple[str, ...]:
    """Name the members of a response that the service reads, client data aside."""
    if purpose in CREATING:
        return ("attestationObject",)
    return ("authenticatorData", "signature", "userHandle")


def wrong_json(purpose: Purpose) -> Kinds:
    """Members of the credential dropped, retyped, or of another value."""

    def member(name: str, value: object) -> Case:
        return refused(purpose, twists={"members": {name: value}})

    def of_response(name: str, value: object) -> Case:
        return refused(purpose, twists={"response": {name: value}})

    common = (
        st.builds(member, st.sampled_from(["id", "rawId", "type"]), values),
        values.map(lambda value: unreadable(twists={"members": {"response": value}})),
        values.map(lambda value: unreadable(twists={"response": {"clientDataJSON": value}})),
        st.builds(of_response, st.sampled_from(read_members(purpose)), st.sampled_from(VALUES)),
    )
    if purpose in CREATING:
        return (*common, st.builds(of_response, st.just("transports"), NO_LISTS))
    # A step-up names its passkeys, so that a handle may be missing there.
    needed = ["authenticatorData", "signature", "userHandle"]
    del needed[2 if purpose is Purpose.REAUTHENTICATION else 3 :]
    return (*common, st.builds(of_response, st.sampled_from(needed), values))


def wrong_text(purpose: Purpose) -> Kinds:
    """Base64url that is none, or not the only spelling of what it stands for."""
    names = st.sampled_from(["id", "rawId", "ids", *read_members(purpose)])

    def spoilt(name: str, change: Noise) -> Case:
        return refused(purpose, spoil=Spoil(name, change))

    return (
        st.builds(spoilt, names, noises),
        st.builds(spoilt, names, st.just(SPARE_BITS)),
        noises.map(lambda noise: unreadable(spoil=Spoil("clientDataJSON", noise))),
        st.just(unreadable(spoil=Spoil("clientDataJSON", SPARE_BITS))),
    )


def wrong_body(purpose: Purpose) -> Kinds:
    """Bodies that are no JSON, or not the operation's."""
    names = NAMES if purpose in CREATING else (*NAMES, "Phone", None)

    no_credentials = [value for value in (OMIT, None, *VALUES) if not isinstance(value, dict)]
    wrong_members: list[Mapping[str, object]] = [
        *({"credential": value} for value in no_credentials),
        *({"credential_name": name} for name in names),
        *({name: "x"} for name in ("", "Credential", "credential ", "user_id", "x" * 5000)),
    ]
    return (
        refused_bodies.map(lambda body: Case(refusals=frozenset({MALFORMED}), body=body)),
        st.sampled_from(wrong_members).map(
            lambda members: Case(refusals=frozenset({INVALID}), members=members)
        ),
        st.just(unreadable(members={"credential": {}})),
    )


def wrong_client_data(purpose: Purpose) -> Kinds:
    """Client data that is signed and yet not of this ceremony."""
    other = "webauthn.get" if purpose in CREATING else "webauthn.create"

    def field(name: str, value: object) -> Case:
        return refused(purpose, twists={"client_data": {name: value}})

    def challenge(value: object) -> Case:
        return unreadable(twists={"client_data": {"challenge": value}})

    return (
        malformed.map(lambda spelling: unreadable(client_data=spelling)),
        values.map(challenge),
        st.binary(min_size=31, max_size=33).map(encode).map(challenge),
        st.builds(field, st.just("type"), st.sampled_from([*TYPES, other]) | values),
        st.builds(field, st.just("origin"), st.sampled_from(ORIGINS) | values),
        st.builds(field, st.just("crossOrigin"), st.sampled_from([None, *VALUES])),
        st.builds(field, st.just("topOrigin"), st.sampled_from([None, ORIGIN, *VALUES])),
    )
