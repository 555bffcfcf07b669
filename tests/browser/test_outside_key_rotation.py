"""A provider that takes new keys while people are on their way: its old ones are gone at once.

A16. The keys are fetched again for an unknown one, once a minute at most, so that nobody can have
the service ask the provider all day.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.outside import (
    Outside,
    allow,
    continue_with,
    expect_refusal,
    log_in,
    new_login,
    outside_service,
    sign_in_by_example,
)
from tests.browser.steps import expect_account
from tests.browser.visitors import Visitor
from tests.support.databases import ScratchDatabases
from tests.support.passing_minutes import PassingMinutes
from tests.support.servers import Server

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

A_MINUTE = 60


@pytest.fixture
def outside(scratch_database: ScratchDatabases, tmp_path: Path) -> Iterator[Outside]:
    """Serve with one worker: each has keys of its own."""
    with outside_service(scratch_database(), tmp_path, workers=1) as served:
        yield served


@pytest.fixture
def minutes(outside: Outside, tmp_path: Path) -> PassingMinutes:
    passing = PassingMinutes(tmp_path / "minutes.json")
    outside.server.stop()
    outside.server.start(*passing.wrapper)
    return passing


@pytest.fixture
def server(outside: Outside, minutes: PassingMinutes) -> Server:
    return outside.server


def sign_in_meanwhile(visitor: Visitor, outside: Outside) -> None:
    """Sign in with an account at Example, which changes its keys while the person is there."""
    continue_with(visitor, "Example")
    expect(visitor.page.get_by_label("Login name")).to_be_visible()
    outside.example.rotate_keys(keep_old=False)
    log_in(visitor, new_login())
    allow(visitor)


def test_new_keys_are_taken_once_a_minute(
    visitor: Visitor, new_visitor: NewVisitor, outside: Outside, minutes: PassingMinutes
) -> None:
    second, third = new_visitor(), new_visitor()
    sign_in_by_example(visitor, new_login())
    assert outside.example.asked("jwks") == 1

    minutes.set(A_MINUTE)
    sign_in_meanwhile(second, outside)
    expect_account(second)
    assert outside.example.asked("jwks") == 2

    sign_in_meanwhile(third, outside)
    expect_refusal(third, "That answer could not be accepted", words="Nothing was changed.")
    assert outside.example.asked("jwks") == 2
    minutes.set(2 * A_MINUTE)
    third.page.get_by_role("link", name="Try again with Example").click()
    expect_account(third)
    assert outside.example.asked("jwks") == 3
