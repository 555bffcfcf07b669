"""The promise of this folder: no test in it reaches a database."""

import pytest
from sqlalchemy import create_engine


@pytest.mark.parametrize("url", ["sqlite://", "postgresql+psycopg://nobody@localhost/nothing"])
def test_a_unit_test_cannot_connect(url: str) -> None:
    with pytest.raises(RuntimeError, match="a unit test asked for a database"):
        create_engine(url).connect()
