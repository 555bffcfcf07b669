"""Whoever asks for a provider's token, in this process or in one of its own.

``python -m tests.support.token_takers`` reads a ``Taking`` from its input and prints what it got.
"""

import json
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

from flask import Flask

from app import clock
from app.identity_providers.values import ProviderTokens
from app.models import Identity
from app.services.provider_tokens import AccessTokens, store_tokens
from app.services.sealing import Sealer
from tests.conftest import Transaction
from tests.support.crowds import at_once
from tests.support.rows import a_user, an_identity
from tests.support.servers import ROOT
from tests.support.units import application_on, run_unit

KEY = secrets.token_bytes(32)
SEALER = Sealer([KEY])
FIRST = ("gho_first-access", "ghr_first-refresh")
ISSUER = "https://github.com"


@dataclass(kw_only=True)
class ProviderTwin:
    """Stands in for a provider: counts how often it is asked, and answers as it is told."""

    takes_seconds: float = 0
    rotates: bool = True
    refuses: Exception | None = None
    meanwhile: Callable[[], object] = lambda: None
    """Done before it answers."""
    asked_with: list[str] = field(default_factory=list)
    record: Path | None = None
    """Where several processes count together."""
    lasts: timedelta | None = timedelta(hours=8)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self, *, refresh_token: str) -> ProviderTokens:
        with self._counting:
            self.asked_with.append(refresh_token)
            number = len(self.asked_with)
        if self.record:
            with self.record.open("a") as file:
                file.write(f"{refresh_token}\n")
        time.sleep(self.takes_seconds)
        self.meanwhile()
        if self.refuses:
            raise self.refuses
        return ProviderTokens(
            access_token=f"gho_access-{number}",
            refresh_token=f"ghr_refresh-{number}" if self.rotates else None,
            expires_at=clock.now() + self.lasts if self.lasts else None,
        )


def link(
    transaction: Transaction,
    *,
    left: timedelta | None = timedelta(seconds=-1),
    refresh_token: str | None = FIRST[1],
    sealer: Sealer = SEALER,
) -> Identity:
    """Make somebody with an identity whose token expired a second ago, unless said otherwise."""
    with transaction() as session:
        user = a_user()
        session.add(user)
        session.flush()
        identity = an_identity(user, issuer=ISSUER)
        session.add(identity)
        tokens = ProviderTokens(
            access_token=FIRST[0],
            refresh_token=refresh_token,
            expires_at=None if left is None else clock.now() + left,
        )
        store_tokens(session, identity=identity, tokens=tokens, sealer=sealer)
    return identity


def stored(transaction: Transaction, identity: Identity) -> Identity:
    """Read the row as it is now."""
    with transaction() as session:
        return session.get_one(Identity, identity.id)


def taker(
    app: Flask, identity: Identity, provider: ProviderTwin, *, sealer: Sealer = SEALER
) -> Callable[[], str]:
    """Give what asks for the token, and shares nothing with another but the database."""
    tokens = AccessTokens(
        in_unit=partial(run_unit, app), providers={ISSUER: provider}, sealer=sealer
    )
    return partial(tokens.get, identity_id=identity.id, user_id=identity.user_id)


@dataclass(kw_only=True)
class Taking:
    """What a process does: so many threads ask at the same moment."""

    database: Mapping[str, str]
    identity_id: str
    user_id: str
    key: str
    record: str
    threads: int
    takes_seconds: float


@contextmanager
def taking_processes(number: int, taking: Taking) -> Iterator[list[subprocess.Popen[str]]]:
    """Start processes and have all of them ask once all are ready; none outlives the block."""
    command = [sys.executable, "-m", __spec__.name]
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        for _ in range(number)
    ]
    try:
        for process in processes:
            assert process.stdin
            process.stdin.write(json.dumps(asdict(taking)) + "\n")
            process.stdin.flush()
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _take() -> None:
    taking = Taking(**json.loads(sys.stdin.readline()))
    provider = ProviderTwin(takes_seconds=taking.takes_seconds, record=Path(taking.record))
    identity = Identity(
        id=taking.identity_id, user_id=taking.user_id, provider="", issuer="", provider_id=""
    )
    with application_on(taking.database) as app:
        ask = taker(app, identity, provider, sealer=Sealer([bytes.fromhex(taking.key)]))
        print("ready", flush=True)  # noqa: T201 - the pipe is read by the test
        sys.stdin.readline()
        print(json.dumps(at_once([ask] * taking.threads)))  # noqa: T201 - as above


if __name__ == "__main__":
    _take()
