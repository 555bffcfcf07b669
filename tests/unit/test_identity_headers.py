"""What an application is told of a person is fit for a header, whatever the person is called."""

from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.services.identity_headers import (
    DEFAULT_NAMES,
    FIELDS,
    header_list,
    header_names,
    header_value,
)

texts = st.text(st.characters(exclude_categories=["Cs"]))
"""Any text that can be stored: no half of a surrogate pair."""
PRINTABLE = {chr(code) for code in range(0x20, 0x7F)}


@given(texts)
@example("")
@example(" ")
@example(" Ada ")
@example("Ada\r\nX-Auth-Role: admin")
@example("100 %41")
@example("Zoë\u00a0☃\U0001f600\x00\x7f")
@example("\u2028\u0085\x1c")
def test_value_is_printable_ascii_and_comes_back(text: str) -> None:
    value = header_value(text)

    assert set(value) <= PRINTABLE
    # Blanks at the ends are no part of a value (RFC 9110 section 5.5).
    assert value == value.strip()
    assert unquote(value, errors="strict") == text


@given(st.text(st.sampled_from(sorted(PRINTABLE - {"%"}))))
def test_plain_names_are_told_as_they_are(text: str) -> None:
    if text == text.strip():
        assert header_value(text) == text


def test_encoding_is_that_of_a_url() -> None:
    """RFC 3986 section 2.1; decodeURIComponent knows no other."""
    assert header_value("Zoë, 50 %") == "Zo%C3%AB, 50 %25"
    assert header_value(" Ada Byron") == "%20Ada%20Byron"


def test_half_a_surrogate_pair_is_a_question_mark() -> None:
    assert header_value("Ada \ud83d") == "Ada ?"


@given(st.lists(texts.filter(bool), min_size=1))
@example(["a,b", "c"])
def test_a_list_comes_back_as_it_was(items: list[str]) -> None:
    value = header_list(items)

    assert set(value) <= PRINTABLE
    assert [unquote(item, errors="strict") for item in value.split(",")] == items


def test_groups_are_told_as_they_are() -> None:
    assert header_list(["ops", "wiki.editors", "a-b_c"]) == "ops,wiki.editors,a-b_c"


def test_headers_are_called_as_documented() -> None:
    assert dict(zip(FIELDS, DEFAULT_NAMES, strict=True)) == {
        "user_id": "X-Auth-User-Id",
        "email": "X-Auth-Email",
        "name": "X-Auth-Name",
        "role": "X-Auth-Role",
        "groups": "X-Auth-Groups",
        "session_id": "X-Auth-Session-Id",
        "method": "X-Auth-Method",
        "time": "X-Auth-Time",
    }


@pytest.mark.parametrize("field", FIELDS)
def test_a_map_renames_what_it_names_and_nothing_else(field: str) -> None:
    names = dict(zip(FIELDS, header_names({field: "Remote-User"}), strict=True))

    assert names.pop(field) == "Remote-User"
    assert set(names.values()) < set(DEFAULT_NAMES)
    assert header_names({}) == DEFAULT_NAMES
