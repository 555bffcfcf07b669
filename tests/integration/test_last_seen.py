"""That a session is in use is written now and then, in batches, and never by whoever asks.

ASVS 7.3.1, 7.3.2. And what was refused once because its time was over stays refused.
"""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import clock, last_seen
from app.config import Settings
from app.models import User, UserSession
from tests.support.gate_asking import CHECK, GONE, GRANTED, TOLD, WHO, Asked, asked_gate
from tests.support.gate_cast import IN_TIME, Cast, assemble, open_for
from tests.support.gate_wire import Wire, wire
from tests.support.tables import contents
from tests.support.units import run_unit

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
GATHER_SECONDS = 0.1
PATIENCE_SECONDS = 5
FOR_WIKI = f"{CHECK}?app=wiki"


@pytest.fixture
def traveller() -> Iterator[time_machine.Traveller]:
    """Stop the clock at a whole second; a test moves it by hand."""
    with time_machine.travel(clock.now().replace(microsecond=0), tick=False) as traveller:
        yield traveller


@pytest.fixture
def cast(app: Flask, traveller: time_machine.Traveller) -> Cast:
    del traveller  # sets the clock before
    return assemble(app)


@pytest.fixture
def wired(tmp_path: Path) -> Iterator[Wire]:
    with wire(tmp_path) as made:
        yield made


@pytest.fixture
def asked(wired: Wire, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """Give a gate that writes soon."""
    del wired  # begun before the gate
    monkeypatch.setattr(last_seen, "GATHER_SECONDS", GATHER_SECONDS)
    with asked_gate(settings) as made:
        yield made


class Ends(NamedTuple):
    """What is stored of a session's use."""

    seen: datetime
    idle: datetime


Stored = Callable[[str], Ends]


@pytest.fixture
def stored(app: Flask, cast: Cast) -> Stored:
    def look(whose: str) -> Ends:
        query = select(UserSession.last_seen_at, UserSession.idle_expires_at).where(
            UserSession.id == cast.session_ids[whose]
        )
        return Ends(*run_unit(app, lambda session: session.execute(query).one(), writes=False))

    return look


def await_seen(stored: Stored, whose: str, moment: datetime) -> Ends:
    give_up_at = time.perf_counter() + PATIENCE_SECONDS
    while (ends := stored(whose)).seen != moment:
        assert time.perf_counter() < give_up_at, f"{ends}, and never {moment}"
        time.sleep(0.01)
    return ends


def let_it_write() -> None:
    """Wait for as long as any write takes."""
    time.sleep(GATHER_SECONDS * 4)


@pytest.mark.parametrize("target", [CHECK, WHO])
def test_use_is_written_once_a_minute_at_most(
    asked: Asked,
    cast: Cast,
    stored: Stored,
    traveller: time_machine.Traveller,
    target: str,
) -> None:
    before = stored("member")
    traveller.shift(59 * SECOND)
    assert asked.said(cast.tokens["member"], target) in {GRANTED, TOLD}
    let_it_write()
    assert stored("member") == before

    traveller.shift(SECOND)
    assert asked.said(cast.tokens["member"], target) in {GRANTED, TOLD}

    ends = await_seen(stored, "member", clock.now())
    assert ends.idle == clock.now() + HOUR


def test_use_puts_the_idle_end_off_and_never_past_the_absolute_one(
    asked: Asked, cast: Cast, stored: Stored, traveller: time_machine.Traveller
) -> None:
    end = clock.now() + IN_TIME
    while clock.now() + 2 * HOUR < end:
        traveller.shift(55 * MINUTE)
        assert asked.said(cast.tokens["member"]) == GRANTED
        assert await_seen(stored, "member", clock.now()).idle == clock.now() + HOUR

    traveller.move_to(clock.now() + HOUR - SECOND)
    assert clock.now() + HOUR > end
    assert asked.said(cast.tokens["member"]) == GRANTED
    assert await_seen(stored, "member", clock.now()).idle == end
    traveller.move_to(end)
    assert asked.said(cast.tokens["member"]) == GONE


def test_use_of_a_child_is_use_of_its_root(
    asked: Asked, cast: Cast, stored: Stored, traveller: time_machine.Traveller
) -> None:
    traveller.shift(2 * MINUTE)

    assert asked.said(cast.tokens["wiki child"], FOR_WIKI) == GRANTED

    assert await_seen(stored, "member", clock.now()).idle == clock.now() + HOUR


@pytest.mark.parametrize("whose", ["enrol", "disabled", "expired", "wiki child of the disabled"])
def test_what_is_refused_is_no_use(
    app: Flask, asked: Asked, cast: Cast, traveller: time_machine.Traveller, whose: str
) -> None:
    """A recovery session's end least of all."""
    asked.said(cast.tokens["expired"])  # which ends it
    before = contents(app)
    traveller.shift(2 * MINUTE)

    for target in (CHECK, WHO, FOR_WIKI):
        assert asked.said(cast.tokens[whose], target) not in {GRANTED, TOLD}

    let_it_write()
    assert contents(app) == before


@pytest.mark.parametrize("whose", ["expired", "idle", "wiki child over", "wiki child of the idle"])
def test_what_is_over_is_ended_once(asked: Asked, cast: Cast, wired: Wire, whose: str) -> None:
    """Else whoever holds an old token could make the database write as often as they like."""
    assert asked.said(cast.tokens[whose], FOR_WIKI) == GONE

    wired.forget()
    assert asked.said(cast.tokens[whose], FOR_WIKI) == GONE

    assert [one.partition(" ")[0] for one in wired.statements()] == ["SELECT"]


def test_whoever_asks_does_not_wait_for_the_write(
    asked: Asked, cast: Cast, wired: Wire, stored: Stored, traveller: time_machine.Traveller
) -> None:
    asked.said(cast.tokens["admin"])
    traveller.shift(2 * MINUTE)

    wired.forget()
    assert asked.said(cast.tokens["member"]) == GRANTED
    assert [one.partition(" ")[0] for one in wired.statements()] == ["SELECT"]

    await_seen(stored, "member", clock.now())


def test_many_are_written_in_one_transaction(
    app: Flask, asked: Asked, cast: Cast, wired: Wire, traveller: time_machine.Traveller
) -> None:
    def unit(session: Session) -> list[str]:
        user = session.get_one(User, cast.user_ids["member"])
        made = [open_for(user) for _ in range(30)]
        session.add_all(row for row, _ in made)
        return [token for _, token in made]

    tokens = run_unit(app, unit)
    traveller.shift(2 * MINUTE)
    wired.forget()

    for token in tokens * 3:
        assert asked.said(token) == GRANTED
    let_it_write()

    # The first of them may have been written before the last was noted.
    assert 1 <= wired.statements().count("COMMIT") <= 2
    seen = select(UserSession.id).where(UserSession.last_seen_at == clock.now())
    written = run_unit(app, lambda session: session.scalars(seen).all(), writes=False)
    assert len(written) == len(tokens)


@pytest.mark.parametrize("whose", ["member", "wiki child"])
def test_what_was_refused_as_over_stays_refused_when_the_clock_is_set_back(
    asked: Asked, cast: Cast, traveller: time_machine.Traveller, whose: str
) -> None:
    """Also what is over only because its root is. CVE-2026-9802."""
    target = FOR_WIKI if "child" in whose else CHECK
    began = clock.now()
    traveller.move_to(began + IN_TIME + SECOND)
    assert asked.said(cast.tokens[whose], target) == GONE

    traveller.move_to(began)

    assert asked.said(cast.tokens[whose], target) == GONE
    # Control: nobody asked with this one while it was over.
    assert asked.said(cast.tokens["admin"]) == GRANTED


def test_a_child_whose_root_was_refused_stays_refused(
    app: Flask, asked: Asked, cast: Cast, traveller: time_machine.Traveller
) -> None:
    root = UserSession.id == cast.session_ids["member"]
    began = clock.now()
    soon = update(UserSession).where(root).values(idle_expires_at=began + MINUTE)
    run_unit(app, lambda session: session.execute(soon))
    traveller.move_to(began + 2 * MINUTE)
    assert asked.said(cast.tokens["wiki child"], FOR_WIKI) == GONE

    traveller.move_to(began)

    assert asked.said(cast.tokens["wiki child"], FOR_WIKI) == GONE
    assert asked.said(cast.tokens["member"]) == GONE
    assert asked.said(cast.tokens["admin"]) == GRANTED


def test_a_thread_that_died_of_something_unforeseen_has_a_successor(
    asked: Asked,
    cast: Cast,
    stored: Stored,
    traveller: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_session: Session, *, ids: list[str]) -> None:
        raise MemoryError(ids)

    fallen = threading.Event()
    traveller.shift(2 * MINUTE)
    with monkeypatch.context() as once:
        once.setattr(threading, "excepthook", lambda _given: fallen.set())
        once.setattr(last_seen, "touch_sessions", fail)
        assert asked.said(cast.tokens["member"]) == GRANTED
        assert fallen.wait(PATIENCE_SECONDS)

    assert asked.said(cast.tokens["member"]) == GRANTED

    await_seen(stored, "member", clock.now())
