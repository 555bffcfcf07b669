"""JSON as it comes from outside, read in the one way there should be (RFC 8259, RFC 7493)."""

import json
from typing import NoReturn


def parse_json(body: bytes) -> object:
    """Parse one JSON text; raises ValueError for anything else.

    A member that stands twice is refused, since two readers may take two different ones.
    """
    try:
        return json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object_without_repetition,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        # The text of the original grows with the nesting.
        raise ValueError("nested too deeply") from None


def parse_object(body: bytes) -> dict[str, object]:
    """Parse one JSON object; raises ValueError for anything else."""
    document = parse_json(body)
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the text is wrong, not the caller
    return document


def _object_without_repetition(members: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a member stands twice")
    return found


def _refuse_constant(_constant: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")
