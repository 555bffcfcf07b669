"""A process is killed at any moment between a provider's answer and what comes of it (F3, P1).

Never a person without a way in, an outside account without a person, an address in two places or
in none, or an invitation that is spent for nothing; and a state is good once at most (P2).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.conftest import NewTally
from tests.support.clients import Browser, InProcessBrowser
from tests.support.counts import trials
from tests.support.outside_accounts import link_with, refused, sign_in_with, switched_on, went_on
from tests.support.outside_ledger import OutsideLedger, read_ledger, whole, without_sessions
from tests.support.outside_lives import (
    ACCOUNT,
    SPARE,
    arrange_accounts,
    present_again,
    quiet_github,
)
from tests.support.stepping import SURVIVED, Stage
from tests.support.stories import OUTSIDE_STORIES

KILLED = -9
STRIDE = 11 if trials(10) == 1 else 1
"""The quick run tries one moment in so many; the full run tries each."""

FEWEST = {"outside-arrival": 30, "outside-change": 60}
"""A survivor that came sooner was not broken at all."""
ENDS = {"outside-arrival": ("squat", "arrive"), "outside-change": ("arrive", "link")}
"""What is true of the person once they have tried again."""
UNUSABLE = "authorization_request_unusable"

stories = pytest.mark.parametrize("story", OUTSIDE_STORIES)
on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@on_sqlite
@stories
def test_a_kill_at_any_write_of_a_round_trip_leaves_all_or_nothing(
    theatre: Stage, new_tally: NewTally, story: str
) -> None:
    """F3, DB-17: the file is whole, and nothing is done by half."""
    tally = new_tally("Killed", f"SIGKILL at the n-th write to the file, {story}")

    def play(number: int) -> int:
        return theatre.play(story, call="pwrite64", fault=f"signal=KILL:when={number}")

    for status in theatre.play_until_it_survives(play, stride=STRIDE, fewest=FEWEST[story]):
        with tally.trial():
            assert_whole(theatre, story, status)


@stories
def test_a_kill_at_any_statement_or_call_of_a_round_trip_leaves_all_or_nothing(
    theatre: Stage, new_tally: NewTally, story: str
) -> None:
    """F3, DB-17: before and after each statement, each commit and each call to the provider."""
    tally = new_tally("Killed", f"SIGKILL at the n-th round trip, {story}")

    def play(number: int) -> int:
        return theatre.play(story, round_trip=number)

    for status in theatre.play_until_it_survives(play, stride=STRIDE, fewest=FEWEST[story]):
        with tally.trial():
            assert_whole(theatre, story, status)


def assert_whole(theatre: Stage, story: str, status: int) -> None:
    """See that nothing is torn, that no state is good twice, and that trying again ends well."""
    assert status in {KILLED, SURVIVED}, theatre.complaint()
    with ledger_of(theatre) as ledger:
        found = ledger.findings()
        assert not found, found
        for answer in ledger.answers():
            was_good, before = ledger.is_good(answer), ledger.held()
            first = present_again(browser(theatre), answer)
            assert went_on(first) == was_good
            if not was_good:
                assert refused(first) == UNUSABLE
                assert ledger.held() == before
            assert refused(present_again(browser(theatre), answer)) == UNUSABLE
        assert_ends_well(theatre, story, ledger)


def assert_ends_well(theatre: Stage, story: str, ledger: OutsideLedger) -> None:
    """See that an honest sign-in with the same account opens the one account of the person."""
    again = browser(theatre)
    assert went_on(sign_in_with(again, ACCOUNT))
    if "link" in ENDS[story]:
        assert went_on(link_with(again, SPARE))
    ((other, _),) = theatre.invitations
    email = ledger.lines[-1]["email"]
    assert without_sessions(ledger.held()) == whole(email, *ENDS[story], invited=other)


@contextmanager
def ledger_of(theatre: Stage) -> Iterator[OutsideLedger]:
    """Read the journal of the story, in a service that works and knows the same provider."""
    ledger, provider = read_ledger(theatre.app, theatre.journal), quiet_github()
    arrange_accounts(provider, ledger.lines[-1]["email"])
    with switched_on(theatre.app, provider):
        try:
            yield ledger
        finally:
            ledger.close()


def browser(theatre: Stage) -> Browser:
    """Open one more browser."""
    return InProcessBrowser(theatre.app, theatre.app.response_class)
