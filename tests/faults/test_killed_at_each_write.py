"""A process is killed at the n-th write, for every n, until one survives (F3, P1)."""

import pytest

from tests.conftest import NewTally
from tests.support.counts import trials
from tests.support.stepping import SURVIVED, Stage
from tests.support.stories import STORIES

KILLED = -9
STRIDE = 17 if trials(10) == 1 else 1
"""The quick run tries one moment in so many; the full run tries each."""

FEWEST = {"arrival": 50, "change": 100}
"""A survivor that came sooner was not broken at all."""

stories = pytest.mark.parametrize("story", STORIES)
on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@on_sqlite
@stories
def test_a_kill_at_any_write_to_the_file_leaves_all_or_nothing(
    theatre: Stage, new_tally: NewTally, story: str
) -> None:
    """F3, DB-17: the file is whole, what was acknowledged is there, nothing is done by half."""
    tally = new_tally("Killed", f"SIGKILL at the n-th write to the file, {story}")

    def play(number: int) -> int:
        return theatre.play(story, call="pwrite64", fault=f"signal=KILL:when={number}")

    for status in theatre.play_until_it_survives(play, stride=STRIDE, fewest=FEWEST[story]):
        with tally.trial():
            assert_whole(theatre, status)


@stories
def test_a_kill_at_any_round_trip_to_the_database_leaves_all_or_nothing(
    theatre: Stage, new_tally: NewTally, story: str
) -> None:
    """F3, DB-17: as above, before and after each statement and each commit, on both engines."""
    tally = new_tally("Killed", f"SIGKILL at the n-th round trip, {story}")

    def play(number: int) -> int:
        return theatre.play(story, round_trip=number)

    for status in theatre.play_until_it_survives(play, stride=STRIDE, fewest=FEWEST[story]):
        with tally.trial():
            assert_whole(theatre, status)


def assert_whole(theatre: Stage, status: int) -> None:
    """See that nothing is torn, and that the next one finds a service that works."""
    assert status in {KILLED, SURVIVED}
    assert theatre.findings() == []
    assert theatre.play("arrival") == SURVIVED
    assert theatre.findings() == []
