"""Load: people in threads who change whatever can be changed, each by a seeded chance."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Self

from flask import Flask

from app.services.addresses import parse_address
from app.services.invitations import invite
from tests.support.clients import Browser, NoAnswerError
from tests.support.journal import Journal
from tests.support.lives import Life, RefusedError
from tests.support.units import run_unit

_SHORTEST, _LONGEST = 5, 25
"""How much a person does until the next one comes."""
_PAUSE_SECONDS = 0.2
"""How long a client waits after it had no answer."""


@dataclass(kw_only=True)
class Load:
    """Mixed writes for as long as the block runs; what became of them stands in the journal."""

    new_browser: Callable[[], Browser]
    journal: Journal
    clients: int
    seed: int
    invitations: dict[str, str] = field(default_factory=dict)
    """Tokens by the address that they are for; these people come first."""
    done: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    refused: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    _latest: float = 0.0
    _stop: Event = field(default_factory=Event, repr=False)
    _news: Condition = field(default_factory=Condition, repr=False)
    _threads: list[Thread] = field(default_factory=list, repr=False)

    def __enter__(self) -> Self:
        self._threads = [
            Thread(target=self._come_and_go, args=[number]) for number in range(self.clients)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def await_answer(self, since: float, seconds: float) -> float:
        """Wait until something that began after a moment is done; give how long that took."""
        with self._news:
            assert self._news.wait_for(lambda: self._latest > since, seconds), "no answer in time"
        return time.monotonic() - since

    def await_more(self, number: int, seconds: float) -> None:
        """Wait until so many more operations are done."""
        with self._news:
            enough = self.done.total() + number
            more = self._news.wait_for(lambda: self.done.total() >= enough, seconds)
        assert more, "nothing more is done"

    def surprises(self) -> list[str]:
        """Give what no failure explains; a service that just starts may be short of answers."""
        explained = "(503, 'database_unavailable')"
        return self.crashes + [one for one in self.refused if not one.endswith(explained)]

    def _come_and_go(self, client: int) -> None:
        chance = Random(f"{self.seed}-{client}")  # noqa: S311 - chosen, not secret
        addresses = list(self.invitations)[client :: self.clients]
        people = 0
        while not self._stop.is_set():
            people += 1
            email = addresses.pop() if addresses else f"{client}-{people}@example.org"
            life = Life(
                email=email,
                new_browser=self.new_browser,
                journal=self.journal,
                chance=chance,
                invitation=self.invitations.get(email),
            )
            try:
                self._live(life)
            except NoAnswerError:
                with self._news:
                    self.unanswered += 1
                self._stop.wait(_PAUSE_SECONDS)
            except RefusedError as error:
                self.refused.append(f"{email}: {error}")
            except Exception as error:  # noqa: BLE001 - a thread's errors would be lost
                self.crashes.append(f"{email}: {error!r}")

    def _live(self, life: Life) -> None:
        self._carry_out(life.sign_up)
        for _ in range(life.chance.randint(_SHORTEST, _LONGEST)):
            if self._stop.is_set():
                return
            self._carry_out(life.chance.choice(life.choices()))

    def _carry_out(self, operation: Callable[[], None]) -> None:
        began_at = time.monotonic()
        operation()
        with self._news:
            self.done[operation.__name__] += 1
            self._latest = max(self._latest, began_at)
            self._news.notify_all()


def invited(app: Flask, journal: Journal, number: int) -> dict[str, str]:
    """Invite so many people; give the tokens by the addresses that they are for."""
    addresses = [f"invited-{one}@example.org" for one in range(number)]
    tokens = run_unit(
        app,
        lambda session: [
            invite(session, address=parse_address(address), role="user") for address in addresses
        ],
    )
    invitations = dict(zip(addresses, tokens, strict=True))
    for email, token in invitations.items():
        journal.acknowledge("invite", email=email, token=token)
    return invitations
