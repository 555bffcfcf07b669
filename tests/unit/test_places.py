"""Places at the database: all may queue while units get through, and nobody once they are stuck.

F9.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from app import places
from app.errors import DatabaseUnavailable, NotFound, ServiceError
from app.places import Places


def test_many_queue_for_few_places_while_units_get_through() -> None:
    gate, at_once, most = Places(2), 0, 0
    counting = threading.Lock()

    def unit() -> None:
        nonlocal at_once, most
        with gate.taken():
            with counting:
                at_once += 1
                most = max(most, at_once)
            time.sleep(0.002)
            with counting:
                at_once -= 1

    with ThreadPoolExecutor(16) as threads:
        for one in [threads.submit(unit) for _ in range(200)]:
            one.result()

    assert most == 2


def test_nobody_waits_for_places_that_are_stuck_where_the_queue_is_full() -> None:
    gate = Places(1, queue=0)

    with gate.taken():
        waited = [_seconds_until_refused(gate) for _ in range(3)]

    assert 0.9 < waited[0] < 10
    assert max(waited[1:]) < 0.5
    with gate.taken():
        pass


def test_the_queue_waits_as_long_as_those_before_it_and_shares_their_fate() -> None:
    for refusal in (NotFound, DatabaseUnavailable):
        gate = Places(1, queue=3)
        with ThreadPoolExecutor(3) as threads:
            with suppress(refusal), gate.taken():
                queued = [threads.submit(_get_through, gate) for _ in range(3)]
                time.sleep(1.5)
                assert not any(one.done() for one in queued)
                raise refusal
            got_through = [one.result(10) for one in queued]

        assert got_through == [refusal is NotFound] * 3
        assert _get_through(gate)


def test_a_unit_that_may_not_queue_is_refused_at_once_and_takes_a_free_place() -> None:
    gate = Places(1)

    with gate.taken(), pytest.raises(DatabaseUnavailable), gate.taken(may_queue=False):
        pass

    with gate.taken(may_queue=False):
        pass


def test_one_that_takes_long_does_not_make_a_database_stuck_whose_other_places_are_free() -> None:
    gate = Places(2, queue=0)
    with ThreadPoolExecutor(1) as threads, gate.taken():
        time.sleep(1.2)
        with gate.taken():
            queued = threads.submit(_get_through, gate)
            time.sleep(0.2)
            assert not queued.done()
        assert queued.result(10)


def test_nobody_queues_for_longer_than_a_statement_may_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places, "LONGEST_WAIT_SECONDS", 0.3)
    gate = Places(1)

    with gate.taken():
        assert 0.2 < _seconds_until_refused(gate) < 5


def _get_through(gate: Places) -> bool:
    try:
        with gate.taken():
            return True
    except DatabaseUnavailable:
        return False


@pytest.mark.parametrize(
    ("refusal", "is_progress"), [(NotFound, True), (DatabaseUnavailable, False)]
)
def test_a_refusal_is_progress_unless_the_database_was_not_reached(
    monkeypatch: pytest.MonkeyPatch, refusal: type[ServiceError], *, is_progress: bool
) -> None:
    monkeypatch.setattr(places, "PATIENCE_SECONDS", 0.4)
    gate = Places(2, queue=0)

    with gate.taken():
        with suppress(refusal), gate.taken():
            raise refusal
        time.sleep(0.5)
        with gate.taken():
            waited = _seconds_until_refused(gate)

    assert (waited > 0.2) is is_progress


def _seconds_until_refused(gate: Places) -> float:
    began_at = time.monotonic()
    with pytest.raises(DatabaseUnavailable), gate.taken():
        pass
    return time.monotonic() - began_at
