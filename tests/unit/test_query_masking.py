"""What the query log shows of a query's parameters."""

import pytest
from psycopg.types.json import Jsonb

from app.query_log import mask


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"secret", "<6 bytes>"),
        (bytearray(b"secret"), "<6 bytes>"),
        (memoryview(b"secret"), "<6 bytes>"),
        ("Ada", "Ada"),
        ("x" * 201, "x" * 200 + "…"),
        ("x" * 200, "x" * 200),
        ('{"user_handle": "secret"}', "<JSON>"),
        (Jsonb({"user_handle": "secret"}), "<JSON>"),
        (7, 7),
        (None, None),
        (True, True),
        ([{"hash": b"ab", "name": "Ada"}], [{"hash": "<2 bytes>", "name": "Ada"}]),
    ],
)
def test_a_parameter_is_shown_as_far_as_it_may_be(value: object, shown: object) -> None:
    assert mask(value) == shown
