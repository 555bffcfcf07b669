"""Lies told to a service over the wire, and what is looked at before and after."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import RowMapping, select
from werkzeug.test import TestResponse

from app.extensions import db
from app.models import Identity, User, UserSession
from tests.support.broken_answers import HUGE
from tests.support.clients import Browser
from tests.support.deployments import Deployment
from tests.support.hostile_provider import HostileProvider
from tests.support.lie import HONEST, Lie, honestly
from tests.support.outside_accounts import refused, went_on
from tests.support.outsiders import path_of
from tests.support.people import SESSION_COOKIE, is_signed_in, json_of
from tests.support.provider_visits import sent_back
from tests.support.tables import count
from tests.support.tenants import Tenants, name_of

NEIGHBOUR = "neighbour"
"""A tenant that never lies."""
LONGEST_SECONDS = 12
"""The service gives a provider ten; the rest is for a busy machine."""
MOST_GROWTH_BYTES = HUGE // 2
"""Much, since a worker loads its libraries when it is first told something."""
SAID_BY_US = {"grant_invalid": "identity_rejected"}
"""Refusals of the provider package that a person is told in other words."""


@dataclass(frozen=True, kw_only=True)
class Witness:
    """Sees what comes of lies, and that the workers answer in time and live on."""

    deployment: Deployment
    tenants: Tenants

    def provider(self, name: str) -> HostileProvider:
        """Give a tenant."""
        return self.tenants.by_name[name]

    def hear(self, lie: Lie, client: Browser, name: str | None = None) -> TestResponse:
        """Sign in while a tenant, that of the lie unless named, tells it; gives the last answer."""
        name = name or name_of(lie)
        with self.telling(lie, name):
            begun = in_time(lambda: client.get(f"/api/oauth/{name}/authorize"))
            location = begun.headers["Location"]
            if not location.startswith(f"{self.provider(name).issuer}/"):
                return begun
            callback = path_of(sent_back(location))
            return in_time(lambda: client.get(callback))

    @contextmanager
    def telling(self, lie: Lie, name: str) -> Iterator[None]:
        """Let a tenant lie until the block ends; the workers must live on and never hold much."""
        pids, provider = self.deployment.server.worker_pids(), self.provider(name)
        before = {pid: peak_bytes(pid) for pid in pids}
        provider.lie = lie
        try:
            yield
        finally:
            provider.lie = HONEST
        assert self.deployment.server.worker_pids() == pids, f"{lie}: a worker died"
        growth = max(peak_bytes(pid) - before[pid] for pid in pids)
        assert growth < MOST_GROWTH_BYTES, f"{lie}: a worker grew by {growth} bytes"

    def granted(self) -> tuple[int, int, int]:
        """Count accounts, identities and sessions."""
        app = self.deployment.app
        return count(app, User), count(app, Identity), count(app, UserSession)

    def see_refused(self, lie: Lie, *, then: str | None = None) -> None:
        """A lie is refused by its code and leaves nothing behind; the truth is believed after.

        It is told by the liar, or a neighbour where the lie may be kept, unless somebody is named.
        """
        client = self.deployment.browser()
        before = self.granted()

        answer = self.hear(lie, client)

        assert_refused(answer, lie)
        assert client.get_cookie(SESSION_COOKIE) is None, lie
        assert not is_signed_in(client), lie
        assert self.granted() == before, lie
        self.see_honest(client, then or after(lie))

    def see_accepted(self, lie: Lie) -> None:
        """What only looks like a lie opens an account, which holds what was told and proved."""
        client, name = self.deployment.browser(), name_of(lie)

        answer = self.hear(lie, client)

        assert went_on(answer), f"{lie}: {answer.headers.get('Location')}"
        kept, told = self.identity_at(name), self.provider(name).person
        assert (kept["provider"], kept["provider_id"]) == (name, told["sub"]), lie
        assert kept["profile"]["name"] == told["name"], lie
        assert kept["access_token"] is kept["refresh_token"] is None, lie
        user = json_of(client.get("/api/auth/session"))["user"]
        proved = (told["email"], True) if lie.proves_address else (None, False)
        assert (user["email"], user["email_verified"]) == proved, lie
        assert self.granted() == (1, 1, 1), lie
        self.see_honest(self.deployment.browser(), after(lie))

    def see_honest(self, client: Browser, name: str = NEIGHBOUR) -> None:
        """Somebody signs in at a tenant that tells the truth."""
        answer = self.hear(HONEST, client, name)
        assert went_on(answer), f"an honest sign-in: {answer.headers.get('Location')}"
        assert is_signed_in(client), "an honest sign-in: no session"

    def identity_at(self, name: str) -> RowMapping:
        """Give the one identity that a tenant vouches for."""
        app, issuer = self.deployment.app, self.provider(name).issuer
        with app.app_context(), db.engine.connect() as connection:
            query = select(Identity.__table__).where(Identity.issuer == issuer)
            return connection.execute(query).mappings().one()


def peak_bytes(pid: int) -> int:
    """Give the most that a process ever held in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (size,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(size) * 1024


def in_time(ask: Callable[[], TestResponse]) -> TestResponse:
    """Ask the service, which must not hang with a provider that does."""
    began_at = time.monotonic()
    answer = ask()
    seconds = time.monotonic() - began_at
    assert seconds < LONGEST_SECONDS, f"the service answered after {seconds:.1f} seconds"
    return answer


def assert_refused(answer: TestResponse, lie: Lie) -> None:
    assert not went_on(answer), f"{lie}: believed"
    assert refused(answer) == SAID_BY_US.get(lie.expected or "", lie.expected), lie
    assert SESSION_COOKIE not in "".join(answer.headers.getlist("Set-Cookie")), lie


def after(lie: Lie) -> str:
    """Give who signs somebody in right after a lie: the liar, unless what it told may be kept."""
    may_be_kept = lie.metadata is not honestly or lie.keys is not honestly
    return NEIGHBOUR if may_be_kept else name_of(lie)
