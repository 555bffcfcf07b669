"""JSON that every parser reads alike, and schemas that repeat no input.

RFC 8259; ASVS 1.5.2, 1.5.3.
"""

import json
from contextlib import suppress
from typing import Annotated

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from app.blueprints.auth.schemas import RenameCredential
from app.blueprints.bodies import parse_json, read_body, read_query, validate
from app.blueprints.schemas import Body, Id
from app.errors import InvalidBody, MalformedRequest, UnsupportedContentType
from tests.support.counts import trials

# What JSON can say and both engines can store: no NUL, no lone surrogates.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


AN_ID = "01a20c2d-4b2f-78f5-b512-ab0b4a7d2554"


class Order(Body):
    """What the tests take."""

    name: str
    number: int = 1
    id: Id | None = None
    limit: Annotated[int, Field(ge=1, le=9)] = 5


@given(VALUES)
def test_json_is_read_as_it_was_written(value: object) -> None:
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    # Anything else that is raised fails the test.
    with suppress(MalformedRequest):
        parse_json(data)


def nested(levels: int, innermost: str = "") -> bytes:
    return ("[" * levels + innermost + "]" * levels).encode()


@pytest.mark.parametrize("innermost", ["", "1", '"text"'])
def test_sixteen_levels_are_read_and_seventeen_are_not(innermost: str) -> None:
    assert isinstance(parse_json(nested(16, innermost)), list)

    with pytest.raises(MalformedRequest):
        parse_json(nested(17, innermost))
    with pytest.raises(MalformedRequest):
        parse_json(('{"a":' * 17 + "1" + "}" * 17).encode())


@pytest.mark.parametrize("levels", [1_000, 32_000, 100_000 * trials(10)])
def test_any_depth_is_refused_without_harm(levels: int) -> None:
    with pytest.raises(MalformedRequest):
        parse_json(nested(levels))
    with pytest.raises(MalformedRequest):
        parse_json(b"[" * levels)


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "[-1e999]",
        '{"a": NaN}',
        "01",
        "+1",
        ".5",
        "1.",
        "'a'",
        "",
        " ",
    ],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(MalformedRequest):
        parse_json(text.encode())


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":1}', '[{"b":{"a":1,"a":2}}]', '{"a":1,"\\u0061":1}', '{"":1,"":2}']
)
def test_duplicate_names_are_refused(text: str) -> None:
    with pytest.raises(MalformedRequest):
        parse_json(text.encode())


def test_same_name_in_two_objects_is_fine() -> None:
    assert parse_json(b'[{"a":1},{"a":1}]') == [{"a": 1}, {"a": 1}]


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "\\udfff", "\\ude00\\ud83d"])
def test_text_that_cannot_be_stored_is_refused(text: str) -> None:
    for document in (f'"{text}"', f'["{text}"]', f'{{"{text}": 1}}', f'{{"a": "x{text}"}}'):
        with pytest.raises(MalformedRequest):
            parse_json(document.encode())
    assert parse_json(b'"\\ud83d\\ude00"') == "\U0001f600"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_other_encodings_than_utf_8_are_refused(encoding: str) -> None:
    with pytest.raises(MalformedRequest):
        parse_json('{"name": "é"}'.encode(encoding))


def faults(value: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidBody) as refused:
        validate(Order, value)
    return [(fault["field"], fault["message"]) for fault in refused.value.errors]


def test_schema_takes_exact_types_alone() -> None:
    assert validate(Order, {"name": "A", "number": 2}).number == 2

    for number in ("2", 2.0, True, None, [2]):
        assert [field for field, _ in faults({"name": "A", "number": number})] == ["number"]


def test_faults_name_fields_and_never_values() -> None:
    told = faults({"name": ["secret-1"], "id": "secret-2", "other": "secret-3"})

    assert sorted(field for field, _ in told) == ["id", "name", "other"]
    assert "secret" not in str(told)


def test_words_beside_a_field_are_the_schemas_own() -> None:
    with pytest.raises(InvalidBody) as refused:
        validate(RenameCredential, {"name": "Ada\u200b"})

    message = "Should hold no control or invisible characters"
    assert refused.value.errors == [{"field": "name", "message": message}]


def test_long_names_of_unknown_fields_are_cut() -> None:
    told = faults({"name": "A", **{f"{number:03}{'x' * 500}": 1 for number in range(50)}})

    assert len(told) == 20
    assert {len(field) for field, _ in told} == {100}


@pytest.mark.parametrize("id", ["", "x", AN_ID.upper(), AN_ID + "\n", f"{{{AN_ID}}}", "\0" * 36])
def test_what_cannot_be_an_id_is_refused(id: str) -> None:  # noqa: A002
    assert [field for field, _ in faults({"name": "A", "id": id})] == ["id"]
    assert validate(Order, {"name": "A", "id": AN_ID}).name == "A"


def body_of(data: bytes, content_type: str | None) -> Order:
    with Flask(__name__).test_request_context(method="POST", data=data, content_type=content_type):
        return read_body(Order)


@pytest.mark.parametrize("content_type", ["application/json", "application/json;charset=utf-8"])
def test_body_is_read_as_json(content_type: str) -> None:
    assert body_of(b'{"name": "A"}', content_type) == Order(name="A")


@pytest.mark.parametrize("content_type", ["text/plain", "application/jsonp", "text/json", None])
def test_body_of_another_type_is_refused(content_type: str | None) -> None:
    with pytest.raises(UnsupportedContentType):
        body_of(b'{"name": "A"}', content_type)


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", None])
def test_no_body_is_an_empty_object(content_type: str | None) -> None:
    with pytest.raises(InvalidBody) as refused:
        body_of(b"", content_type)

    assert [fault["field"] for fault in refused.value.errors] == ["name"]


def query_of(query: str) -> Order:
    with Flask(__name__).test_request_context(query_string=query):
        return read_query(Order)


def test_query_is_read_by_its_schema() -> None:
    assert query_of("name=A&limit=7") == Order(name="A", limit=7)


@pytest.mark.parametrize(
    "query",
    ["name=A&limit=0", "name=A&limit=x", "name=A&limit=", "name=A&other=1", "name=A&name=A"],
)
def test_query_that_does_not_fit_is_refused(query: str) -> None:
    with pytest.raises(InvalidBody):
        query_of(query)
