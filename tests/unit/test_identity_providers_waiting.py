"""Who waits for a provider that others wait for already, and for how long.

A16: a slow provider is waited for; one that is stalled does not hold every thread.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

from app.errors import ProviderUnavailable
from app.identity_providers.call_slots import CallSlots
from app.identity_providers.kept import Kept
from app.identity_providers.limits import CALLS_TO_ALL_AT_ONCE, LONG_WAITS_AT_ONCE, Budget
from app.identity_providers.single_flight import SingleFlight

PATIENCE = 0.5
LONG = 10.0
"""Longer than anything here takes."""


def slots(number: int) -> CallSlots:
    return CallSlots(number, patience_seconds=PATIENCE)


def calls(slots: CallSlots, seconds: float) -> bool:
    """Make a call that takes so long; False where it is refused."""
    try:
        with slots.taken(wait=LONG, reason="busy"):
            time.sleep(seconds)
    except ProviderUnavailable:
        return False
    return True


def seconds_until_refused(ask: Callable[[], object]) -> float:
    began = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        ask()
    return time.monotonic() - began


@contextmanager
def stalled(slots: CallSlots) -> Iterator[Callable[[], None]]:
    """Take a slot until the call ends in failure: when that is asked for, or behind the block."""
    ends = threading.Event()

    def stall() -> None:
        with suppress(TimeoutError), slots.taken(wait=0, reason="busy"):
            taken.set()
            ends.wait()
            raise TimeoutError

    taken, thread = threading.Event(), threading.Thread(target=stall)
    thread.start()
    taken.wait()

    def end() -> None:
        ends.set()
        thread.join()

    try:
        yield end
    finally:
        end()


def test_everybody_is_served_while_calls_are_answered() -> None:
    """In far more time than without an answer would count as stuck."""
    four = slots(4)

    with ThreadPoolExecutor(24) as threads:
        served = list(threads.map(lambda _: calls(four, 0.2), range(24)))

    assert all(served)


def test_nobody_waits_longer_than_they_may() -> None:
    one = CallSlots(1, patience_seconds=LONG)

    with stalled(one):
        assert 0.2 < seconds_until_refused(lambda: enter(one, wait=0.3)) < 1
    assert calls(one, 0)


def test_stalled_calls_are_waited_for_a_little_and_then_not_at_all() -> None:
    two = slots(2)

    with stalled(two), stalled(two):
        waited = [seconds_until_refused(lambda: enter(two)) for _ in range(3)]

    assert PATIENCE - 0.1 < waited[0] < PATIENCE + 0.5
    assert max(waited[1:]) < 0.1
    # Once they have ended, whoever comes may find it mended.
    with stalled(two), stalled(two):
        assert seconds_until_refused(lambda: enter(two)) > PATIENCE - 0.1
    assert calls(two, 0)


def enter(slots: CallSlots, wait: float = LONG) -> None:
    with slots.taken(wait=wait, reason="busy"):
        pass


def test_slot_that_was_free_until_just_now_is_waited_for() -> None:
    """However long the call beside it has taken."""
    two = slots(2)

    with stalled(two):
        time.sleep(PATIENCE + 0.1)
        with stalled(two):
            assert seconds_until_refused(lambda: enter(two)) > PATIENCE - 0.1


def test_stalled_calls_that_end_one_by_one_are_no_progress() -> None:
    three = slots(3)
    with stalled(three) as end_one, stalled(three), stalled(three):
        seconds_until_refused(lambda: enter(three))
        end_one()

        with stalled(three):
            assert seconds_until_refused(lambda: enter(three)) < 0.1
        # Control: one that is answered is.
        assert calls(three, 0)
        with stalled(three):
            assert seconds_until_refused(lambda: enter(three)) > PATIENCE - 0.1


class Fetch:
    """A fetch that ends when it is told to."""

    def __init__(self) -> None:
        self.count = 0
        self.begun, self.ends = threading.Event(), threading.Event()
        self.is_broken = False

    def __call__(self, _: Budget) -> str:
        self.count += 1
        self.begun.set()
        assert self.ends.wait(LONG)
        if self.is_broken:
            raise ProviderUnavailable(reason="broken")
        return "document"


@pytest.fixture
def fetch() -> Iterator[Fetch]:
    fetch = Fetch()
    yield fetch
    fetch.ends.set()


@pytest.fixture
def kept(fetch: Fetch) -> Kept[str]:
    return Kept(fetch, usable_seconds=60, patience_seconds=PATIENCE)


def ask(kept: Kept[str]) -> str:
    try:
        return kept.get(Budget(LONG))
    except ProviderUnavailable as error:
        return str(error.reason)


@contextmanager
def asking(fetch: Fetch, kept: Kept[str], number: int) -> Iterator[list[Future[str]]]:
    """Ask so many times while the document is fetched, long enough for the fetch to be stuck."""
    with ThreadPoolExecutor(number + 1) as threads:
        first = threads.submit(ask, kept)
        assert fetch.begun.wait(LONG)
        others = [threads.submit(ask, kept) for _ in range(number)]
        time.sleep(PATIENCE + 0.5)
        try:
            yield [first, *others]
        finally:
            fetch.ends.set()


def test_document_that_takes_long_at_first_is_waited_for(fetch: Fetch, kept: Kept[str]) -> None:
    with asking(fetch, kept, LONG_WAITS_AT_ONCE) as asked:
        assert not any(one.done() for one in asked)

    assert [one.result() for one in asked] == ["document"] * (1 + LONG_WAITS_AT_ONCE)
    assert fetch.count == 1


def test_document_that_is_stalled_does_not_hold_everybody(fetch: Fetch, kept: Kept[str]) -> None:
    with asking(fetch, kept, LONG_WAITS_AT_ONCE + 6) as asked:
        assert sum(one.done() for one in asked) == 6
        assert all("another thread" in one.result() for one in asked if one.done())

    assert sorted(one.result() for one in asked)[6:] == ["document"] * (1 + LONG_WAITS_AT_ONCE)


def test_those_who_wait_share_the_fate_of_the_fetch(fetch: Fetch, kept: Kept[str]) -> None:
    """Nobody waits through two time-outs; nor does anybody wait for the next one."""
    fetch.is_broken = True
    with asking(fetch, kept, LONG_WAITS_AT_ONCE) as asked:
        pass
    assert [one.result() for one in asked] == ["broken"] * (1 + LONG_WAITS_AT_ONCE)
    assert fetch.count == 1

    fetch.begun.clear()
    fetch.ends.clear()
    with ThreadPoolExecutor(1) as threads:
        again = threads.submit(ask, kept)
        assert fetch.begun.wait(LONG)
        assert seconds_until_refused(lambda: kept.get(Budget(LONG))) < 0.1
        fetch.is_broken = False
        fetch.ends.set()
        assert again.result() == "document"
    assert ask(kept) == "document"


def test_one_failure_that_was_quick_changes_nothing() -> None:
    flights = SingleFlight[str](patience_seconds=PATIENCE, reason="busy")
    with pytest.raises(ProviderUnavailable):
        flights.result(refuse, wait=LONG)

    assert waits_for_the_next(flights)


def test_call_is_waited_for_again_once_one_has_succeeded() -> None:
    flights = SingleFlight[str](patience_seconds=PATIENCE, reason="busy")
    with pytest.raises(ProviderUnavailable):
        flights.result(refuse_late, wait=LONG)
    assert not waits_for_the_next(flights)

    assert waits_for_the_next(flights)


def refuse_late() -> str:
    time.sleep(PATIENCE + 0.1)
    return refuse()


def refuse() -> str:
    raise ProviderUnavailable(reason="broken")


def waits_for_the_next(flights: SingleFlight[str]) -> bool:
    begun, ends = threading.Event(), threading.Event()

    def fly() -> str:
        begun.set()
        ends.wait(LONG)
        return "document"

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(flights.result, fly, wait=LONG)
        begun.wait(LONG)
        second = threads.submit(flights.result, refuse, wait=LONG)
        time.sleep(0.1)
        waits = not second.done()
        ends.set()
        assert first.result() == "document"
        if waits:
            assert second.result() == "document"
        return waits


def test_document_that_came_just_before_is_not_fetched_again(fetch: Fetch, kept: Kept[str]) -> None:
    fetch.ends.set()

    class OvertakenBudget(Budget):
        """Read between the look for a document and the fetch, which another thread does first."""

        @property
        def left(self) -> float:
            assert ask(kept) == "document"
            return LONG

    assert kept.get(OvertakenBudget(LONG)) == "document"
    assert fetch.count == 1


def test_waiting_ends_with_the_budget(fetch: Fetch, kept: Kept[str]) -> None:
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(ask, kept)
        assert fetch.begun.wait(LONG)

        assert seconds_until_refused(lambda: kept.get(Budget(0.2))) < PATIENCE
        assert PATIENCE < seconds_until_refused(lambda: kept.get(Budget(0.8))) < 1.3
        fetch.ends.set()
        assert first.result() == "document"


def test_providers_that_are_all_stalled_leave_threads_to_others() -> None:
    """A worker has thirteen at the least: `THREADS`, and twelve."""
    assert CALLS_TO_ALL_AT_ONCE + LONG_WAITS_AT_ONCE < 13
    assert CALLS_TO_ALL_AT_ONCE <= 13 // 2
