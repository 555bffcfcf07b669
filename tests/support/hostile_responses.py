"""What a hostile client may put into either ceremony's response, and the rule that refuses it.

The test ids name the requirements: `R9-A12` is WA-R9 and WA-A12, `X2` is WA-X2.
"""

from collections.abc import Mapping
from typing import Unpack

import pytest

from tests.support.authenticator import OMIT, Twists, encode
from tests.support.ceremonies import CHALLENGE, ORIGIN

Case = pytest.ParameterSet
"""Twists, and a part of the reason for which they are refused."""


def refused(name: str, rule: str, **twists: Unpack[Twists]) -> Case:
    return pytest.param(twists, rule, id=name)


def refused_members(name: str, rule: str, where: str, members: Mapping[str, object]) -> Case:
    twists: Twists = {"response": members} if where == "response" else {"members": members}
    return refused(name, rule, **twists)


def hostile_client_data(kind: str) -> list[Case]:
    """Client data that breaks a rule, of a ceremony of this kind ("webauthn.create" or ".get")."""
    challenge = encode(CHALLENGE)
    other_kind = {"webauthn.create": "webauthn.get", "webauthn.get": "webauthn.create"}[kind]
    text = f'{{"type": "{kind}", "challenge": "{challenge}", "origin": "{ORIGIN}"'
    deep = "[" * 700 + "]" * 700

    def raw(name: str, rule: str, document: bytes | str) -> Case:
        document = document if isinstance(document, bytes) else document.encode()
        return refused(name, rule, client_data_json=document)

    def field(name: str, rule: str, member: str, value: object) -> Case:
        return refused(name, rule, client_data={member: value})

    def origin(name: str, value: object) -> Case:
        return field(f"R9-A12 {name}", "Unexpected client data origin", "origin", value)

    return [
        raw("R5-A8 not UTF-8", "not JSON in UTF-8", f'{text}, "x": "'.encode() + b'\xff"}'),
        raw("R5-A8 UTF-16", "not JSON in UTF-8", (text + "}").encode("utf-16")),
        raw("R6-A9 unfinished", "not JSON in UTF-8", text),
        raw("R6-A9 text after it", "not JSON in UTF-8", text + "}{}"),
        raw("R6-A9 not a number", "is not JSON", text + ', "x": NaN}'),
        raw("R6-A9 endless number", "not JSON in UTF-8", text + f', "x": {"9" * 5000}}}'),
        raw("R6-A9 endless nesting", "not JSON in UTF-8", "[" * 20_000),
        raw("R6-A9 list", "not an object", "[]"),
        raw("R6-A9 name twice", "a name twice", text + f', "origin": "{ORIGIN}"}}'),
        raw("R6-A9 inner name twice", "a name twice", text + ', "x": {"y": 1, "y": 1}}'),
        field("R7-A10 other ceremony", "Unexpected client data type", "type", other_kind),
        field("R7-A10 list of types", "type is not text", "type", [kind]),
        field("R7-A10 no type", "type is not text", "type", OMIT),
        field("R8-A11 another", "not the one that was issued", "challenge", encode(bytes(32))),
        field("R8-A11 part", "not the one that was issued", "challenge", encode(CHALLENGE[:-1])),
        field("R8-A11 none", "challenge is not base64url", "challenge", OMIT),
        field("R8-A11 empty", "not the one that was issued", "challenge", ""),
        field("R8-A11 a number", "challenge is not base64url", "challenge", 7),
        field("R8-A11 X2 padded", "challenge is not base64url", "challenge", challenge + "="),
        field("R8-A11 X2 junk", "challenge is not base64url", "challenge", challenge + "\n"),
        origin("plain http", ORIGIN[:4] + ORIGIN[5:]),
        origin("other port", ORIGIN + ":8443"),
        origin("slash", ORIGIN + "/"),
        origin("capitals", ORIGIN.upper()),
        origin("prefix", ORIGIN + ".evil.test"),
        origin("sibling", "https://a.example.org"),
        field("R9-A12 list", "origin is not text", "origin", [ORIGIN]),
        field("R9-A12 null", "origin is not text", "origin", None),
        field("R9-A12 none", "origin is not text", "origin", OMIT),
        raw(
            "R9-A12 X1 deep",
            "origin is not text",
            f'{{"type": "{kind}", "challenge": "{challenge}", "origin": {deep}}}',
        ),
        refused("R10-A13 true", "foreign frame", client_data={"crossOrigin": True}),
        field("R10-A13 text", "foreign frame", "crossOrigin", "false"),
        field("R10-A13 zero", "foreign frame", "crossOrigin", 0),
        field("R10-A13 null", "foreign frame", "crossOrigin", None),
        field("R11-A14 evil", "another top origin", "topOrigin", "https://evil.test"),
        field("R11-A14 our own", "another top origin", "topOrigin", ORIGIN),
        field("R11-A14 null", "another top origin", "topOrigin", None),
    ]


def hostile_base64url(where: str, names: tuple[str, ...]) -> list[Case]:
    """Members that are no base64url, in "members" or "response" of the credential's JSON."""
    spoilt = {
        "absent": OMIT,
        "null": None,
        "number": 5,
        "list": ["AAAA"],
        "padded": "AAAAAA==",
        "new line": "AAAA\n",
        "junk": "AA AA",
        "other alphabet": "AA+/",
        "other digits": "AA٣A",
        "one letter left": "AAAAA",
    }
    cases = [
        refused_members(f"X2 {name} {kind}", f"{name} is not base64url", where, {name: value})
        for name in names
        for kind, value in spoilt.items()
    ]
    bits = [
        refused_members(f"X2 {name} spare bits", f"{name} is not canonical", where, {name: "AAB"})
        for name in names
    ]
    return cases + bits


def hostile_shapes() -> list[Case]:
    """Credentials whose JSON has not the shape of one."""
    return [
        refused("X1 no response", "response is not an object", members={"response": OMIT}),
        refused("X1 list response", "response is not an object", members={"response": []}),
        refused("X1 no type", "not of type public-key", members={"type": OMIT}),
        refused("X1 other type", "not of type public-key", members={"type": "password"}),
        refused("X1 list type", "not of type public-key", members={"type": ["public-key"]}),
        refused("CVE-2026-0723 rawId differs", "id and rawId differ", members={"rawId": "AAAA"}),
        refused("CVE-2026-0723 id differs", "id and rawId differ", members={"id": "AAAA"}),
        refused("CVE-2026-0723 no rawId", "id and rawId differ", members={"rawId": OMIT}),
    ]
