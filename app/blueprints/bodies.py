"""Request bodies: JSON or nothing, read strictly and checked against a schema."""

import json
from collections.abc import Mapping
from math import isfinite
from typing import TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from app.errors import InvalidBody, MalformedRequest, UnsupportedContentType

LARGEST_BODY_BYTES = 64 * 1024
_DEEPEST = 16
_MOST_FAULTS = 20
_LONGEST_FIELD_NAME = 100

Schema = TypeVar("Schema", bound=BaseModel)


def receive_body() -> None:
    """Wait for the whole body, before anybody asks who sent it.

    A session that ends while a body trickles in must not be good for what the body asks.
    """
    if request.headers.get("Transfer-Encoding", "chunked").lower() != "chunked":
        raise MalformedRequest(reason="a body that is not only chunked")
    data, length = request.get_data(cache=True), request.content_length
    # Of a body that does not tell its length, Werkzeug hands out no more than this.
    if length is None and len(data) >= LARGEST_BODY_BYTES:
        raise RequestEntityTooLarge
    # Whoever was cut off in the middle of a request did not ask for what is left of it.
    if length is not None and len(data) < length:
        raise MalformedRequest(reason="the body ends early")


def read_body(schema: type[Schema]) -> Schema:
    """Read the body of this request as ``schema``; no body is an empty object.

    Raises ``UnsupportedContentType``, ``MalformedRequest`` and ``InvalidBody``.
    """
    data = request.get_data(cache=True)
    if not data:
        return validate(schema, {})
    if request.mimetype != "application/json":
        raise UnsupportedContentType
    return validate(schema, parse_json(data))


def read_query(schema: type[Schema]) -> Schema:
    """Read the query of this request as ``schema``; a name given twice is refused."""
    given = request.args.to_dict(flat=False)
    twice = [name for name, values in given.items() if len(values) > 1]
    if twice:
        raise InvalidBody([_fault(name, "Given more than once") for name in twice])
    return validate(schema, {name: values[0] for name, values in given.items()}, strict=False)


def validate(schema: type[Schema], value: object, *, strict: bool = True) -> Schema:
    """Check a value against a schema.

    Raises ``InvalidBody``, which names fields and repeats none of their values.
    """
    try:
        return schema.model_validate(value, strict=strict)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        # Cut, since a body full of unknown members would make an answer many times its size.
        raise InvalidBody(
            [
                _fault(".".join(map(str, fault["loc"])), fault["msg"])
                for fault in faults[:_MOST_FAULTS]
            ]
        ) from error


def parse_json(data: bytes) -> object:
    """Parse JSON that every parser reads alike (RFC 8259 section 4, RFC 7493).

    Refused: encodings other than UTF-8, duplicate names, NaN and numbers beyond a double's range,
    nesting beyond sixteen levels, lone surrogates and NUL characters. Raises ``MalformedRequest``.
    """
    try:
        value: object = json.loads(data.decode("utf-8"), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest(reason="not JSON that we take") from error
    _check(value)
    return value


def _fault(field: str, message: str) -> dict[str, str]:
    # Pydantic's own prefix is for programmers; the message is shown beside the field.
    words = message.removeprefix("Value error, ")
    return {"field": field[:_LONGEST_FIELD_NAME], "message": words}


def _without_duplicates(pairs: list[tuple[str, object]]) -> Mapping[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        message = "duplicate member names"
        raise ValueError(message)
    return members


def _check(value: object, depth: int = 1) -> None:
    if isinstance(value, dict | list) and depth > _DEEPEST:
        raise MalformedRequest(reason="nested too deeply")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, float) and not isfinite(value):
        raise MalformedRequest(reason="NaN, or a number too large")
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_text(name)
            _check(member, depth + 1)
    elif isinstance(value, list):
        for member in value:
            _check(member, depth + 1)


def _check_text(text: str) -> None:
    # Neither can be stored: PostgreSQL has no NUL in text, and UTF-8 has no lone surrogates.
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise MalformedRequest(reason="text that cannot be stored")
