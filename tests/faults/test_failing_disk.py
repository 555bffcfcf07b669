"""A disk that fails once, at the n-th call, for every n (F4, P1, P4)."""

from itertools import count

import pytest

from tests.conftest import NewTally
from tests.support.counts import trials
from tests.support.journal import REFUSED
from tests.support.stepping import SURVIVED, Stage
from tests.support.stories import STORIES

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

FAULTS = [("pwrite64", "EIO"), ("pwrite64", "ENOSPC"), ("fdatasync", "EIO"), ("pread64", "EIO")]
STRIDES = {"pwrite64": 17, "pread64": 9, "fdatasync": 4}
"""The quick run tries one moment in so many; the full run tries each."""


@pytest.mark.parametrize(("call", "error"), FAULTS)
@pytest.mark.parametrize("story", STORIES)
def test_a_call_that_fails_is_a_refusal_and_no_more(
    theatre: Stage, new_tally: NewTally, story: str, call: str, error: str
) -> None:
    """F4, ASVS 16.5.2, 16.5.3: 503 and no grant; nothing torn; the next attempt succeeds."""
    tally = new_tally("Killed", f"{call} fails with {error} at the n-th time, {story}")
    refused = 0

    for number in count(1, STRIDES[call] if trials(10) == 1 else 1):
        theatre.prepare()
        status = theatre.play(story, call=call, fault=f"error={error}:when={number}")
        if not theatre.was_broken():
            break
        refusals = [one for one in theatre.journal.lines() if one["outcome"] == REFUSED]
        refused += len(refusals)
        with tally.trial():
            assert status == SURVIVED, (number, theatre.complaint())
            for one in refusals:
                assert one["refusal"] == [503, "database_unavailable"], (number, one)
                assert one["retry_after"], number
                assert not one["signs_in"], number
            assert theatre.findings() == [], number

    assert refused > 0, "no fault was ever noticed"
