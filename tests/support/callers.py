"""Clients that go on asking while the service has a bad day, and what each of them was told."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

from werkzeug.test import TestResponse

from tests.support.clients import Browser, NoAnswerError
from tests.support.people import hand_over, refusal

Call = Callable[[], TestResponse]
_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Told:
    """An answer, or that the connection broke before there was one."""

    began_at: float
    seconds: float
    answer: TestResponse | None

    @property
    def status(self) -> int:
        return self.answer.status_code if self.answer else 0

    @property
    def ended_at(self) -> float:
        return self.began_at + self.seconds


@dataclass(kw_only=True)
class Caller:
    """One client, and everything that it was told."""

    call: Call
    told: list[Told] = field(default_factory=list)

    def ask(self) -> Told:
        """Ask once."""
        began_at = time.monotonic()
        try:
            answer = self.call()
        except NoAnswerError:
            answer = None
        told = Told(began_at=began_at, seconds=time.monotonic() - began_at, answer=answer)
        self.told.append(told)
        return told

    def ask_until(self, over: Event) -> None:
        """Ask again and again."""
        while not over.is_set():
            self.ask()
            over.wait(_PAUSE_SECONDS)


def session_check(client: Browser, token: str) -> Call:
    """Ask who is signed in."""
    hand_over(client, token)
    return lambda: client.get("/api/auth/session")


def begin_to_sign_in(client: Browser) -> Call:
    """Ask for a challenge, which is stored."""
    return lambda: client.post("/api/auth/authentication/options", json={})


@contextmanager
def calling(calls: Sequence[Call]) -> Iterator[list[Caller]]:
    """Let a client for each call ask until the block ends; each was answered by then."""
    callers = [Caller(call=call) for call in calls]
    over = Event()
    with ThreadPoolExecutor(len(callers)) as threads:
        running = [threads.submit(caller.ask_until, over) for caller in callers]
        try:
            yield callers
        finally:
            over.set()
    for one in running:
        one.result()


def all_told(callers: Sequence[Caller]) -> list[Told]:
    """Give what all of them were told, in the order in which they asked."""
    return sorted(
        (told for caller in callers for told in caller.told), key=lambda told: told.began_at
    )


def assert_asks_to_come_back(answer: TestResponse | None) -> None:
    """See that this is how an unreachable database is told: when to try again, and no more."""
    assert answer is not None, "no answer"
    assert refusal(answer) == (503, "database_unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    assert_tells_no_secret(answer)


def assert_tells_no_secret(answer: TestResponse) -> None:
    """See that an answer shows nothing of the inside: no trace, no driver's words, no SQL."""
    for word in ("Traceback", "sqlalchemy", "psycopg", "sqlite3", "SELECT ", "server closed"):
        assert word not in answer.text


def await_answer(call: Call, status: int, *, seconds: float) -> float:
    """Ask until the service answers with the status; give how long that took."""
    caller, began_at = Caller(call=call), time.monotonic()
    while (told := caller.ask()).status != status:
        assert told.ended_at - began_at < seconds, f"still {told.status} after {seconds} s"
        time.sleep(_PAUSE_SECONDS)
    return time.monotonic() - began_at
