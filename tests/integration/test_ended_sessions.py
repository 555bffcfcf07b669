"""A session that ends is over for the requests under way, too (ASVS 7.4.1, 8.3.2)."""

import io
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete
from sqlalchemy.orm import Session

from app import clock
from app.blueprints import guards
from app.blueprints.guards import Level, Operation
from app.models import UserSession
from app.relying_party import RelyingParty
from app.services import session_ends, sessions
from app.services.authentication import AuthenticationCeremonies
from app.services.devices import Device
from tests.conftest import Transaction
from tests.support.clients import Browser
from tests.support.databases import ScratchDatabases
from tests.support.people import is_signed_in, json_of, new_codes, refusal, sign_up
from tests.support.rows import a_user
from tests.support.servers import Server, running_server
from tests.support.tables import contents
from tests.support.units import application_on, run_unit, side_by_side, wait_for
from tests.support.variables import DEVELOPMENT

CHANGES = {
    "the name": ("PATCH", "/api/users/me", {"name": "Eve"}),
    "a step-up": ("POST", "/api/auth/reauthentication/options", {}),
    "an enrolment": ("POST", "/api/auth/credentials/options", {}),
    "recovery codes": ("POST", "/api/auth/recovery-codes", {}),
    "other sessions": ("DELETE", "/api/auth/sessions", None),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_session_that_ends_after_it_was_looked_up_changes_nothing(
    app: Flask,
    client: Browser,
    transaction: Transaction,
    monkeypatch: pytest.MonkeyPatch,
    change: tuple[str, str, object],
) -> None:
    method, path, body = change
    sign_up(client)
    read = guards._read_arguments

    def end_meanwhile(declared: Operation, level: Level) -> dict[str, object]:
        with transaction() as session:
            session.execute(delete(UserSession))
        return read(declared, level)

    with monkeypatch.context() as patched:
        patched.setattr(guards, "_read_arguments", end_meanwhile)
        before = {table: rows for table, rows in contents(app).items() if table != "user_sessions"}

        answer = client.open(path, method=method, json=body)

    assert refusal(answer) == (401, "not_signed_in")
    after = {table: rows for table, rows in contents(app).items() if table != "user_sessions"}
    assert after == before


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_session_that_goes_on_changes_what_it_asks_for(
    client: Browser, change: tuple[str, str, object]
) -> None:
    method, path, body = change
    sign_up(client)

    assert client.open(path, method=method, json=body).status_code in {200, 201}


def test_codes_that_are_made_anew_end_the_recovery_that_an_old_one_began(
    client: Browser, new_client: Callable[[], Browser]
) -> None:
    person, thief = sign_up(client), new_client()
    code = new_codes(client)[0]
    assert thief.post("/api/auth/recovery", json={"code": code}).status_code == 200
    assert thief.post("/api/auth/credentials/options", json={}).status_code == 200

    new_codes(client)

    assert refusal(thief.post("/api/auth/credentials/options", json={})) == (401, "not_signed_in")
    assert is_signed_in(person.client)


def test_code_that_is_redeemed_while_new_ones_are_made_opens_nothing(
    app: Flask, client: Browser
) -> None:
    """Whichever comes first: the owner who has new codes has taken the old ones back."""
    sign_up(client)
    code, redeemed = new_codes(client)[0], Event()

    def redeem(session: Session) -> None:
        recover(app, session, code)
        redeemed.set()
        sleep(0.3)  # the owner's request arrives, and has to wait

    def renew() -> None:
        wait_for(redeemed)
        new_codes(client)

    side_by_side([lambda: run_unit(app, redeem), renew])

    assert [one["current"] for one in json_of(client.get("/api/auth/sessions"))["items"]] == [True]


def recover(app: Flask, session: Session, code: str) -> None:
    settings = app.extensions["openbadges"].service
    ceremonies = AuthenticationCeremonies(
        relying_party=RelyingParty(rp_id="localhost", name="Tests", origin=settings.public_origin),
        settings=settings,
    )
    ceremonies.recover(
        session, code=code, device=Device(label="Thief", network=None), replaces=None
    )
    session.flush()


def test_operators_link_ends_the_recovery_that_an_old_code_began(
    app: Flask, client: Browser, new_client: Callable[[], Browser]
) -> None:
    person, thief = sign_up(client), new_client()
    thief.post("/api/auth/recovery", json={"code": new_codes(client)[0]})
    assert thief.post("/api/auth/credentials/options", json={}).status_code == 200

    app.test_cli_runner().invoke(args=["users", "recover", person.user["email"]])

    assert refusal(thief.post("/api/auth/credentials/options", json={})) == (401, "not_signed_in")


def test_owner_sees_and_ends_a_recovery_under_way(
    client: Browser, new_client: Callable[[], Browser]
) -> None:
    thief = new_client()
    sign_up(client)
    thief.post("/api/auth/recovery", json={"code": new_codes(client)[0]})

    listed = json_of(client.get("/api/auth/sessions"))["items"]
    (seen,) = [one for one in listed if not one["current"]]
    assert seen["authenticated_with"] == "recovery_code"
    assert client.delete(f"/api/auth/sessions/{seen['id']}").status_code == 204

    assert refusal(thief.post("/api/auth/credentials/options", json={})) == (401, "not_signed_in")


class Trickle(io.BytesIO):
    """A body of which the last byte is long in coming."""

    def __init__(self, data: bytes, wait: Callable[[], object]) -> None:
        super().__init__(data)
        self.wait = wait

    def read(self, size: int | None = -1, /) -> bytes:
        self.wait()
        return super().read(size)

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 - as inherited
        self.wait()
        return super().readinto(buffer)


@pytest.mark.parametrize(("minutes", "outcome"), [(0, 201), (11, 403)])
def test_step_up_that_grows_old_while_the_body_trickles_in_is_due_again(
    client: Browser, minutes: int, outcome: int
) -> None:
    with time_machine.travel(clock.now(), tick=False) as traveller:
        sign_up(client)
        body = Trickle(b"{}", lambda: traveller.shift(timedelta(minutes=minutes)))

        answer = client.post(
            "/api/auth/recovery-codes",
            input_stream=body,
            content_length=2,
            content_type="application/json",
        )

    assert answer.status_code == outcome
    if outcome == 403:
        assert refusal(answer) == (403, "step_up_required")


class Slow:
    """A request whose body trickles in."""

    def __init__(self, server: Server, path: str, token: str) -> None:
        address = urlsplit(server.origin)
        self.socket = socket.create_connection(("127.0.0.1", address.port or 80), timeout=20)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Cookie: openbadges_session_{address.port}={token}\r\n"
            "Sec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\n"
            "Content-Length: 2\r\nConnection: close\r\n\r\n{"
        )
        self.socket.sendall(head.encode())

    def finish(self) -> int:
        """Send the rest of the body; gives the status of the answer."""
        self.socket.sendall(b"}")
        with self.socket, self.socket.makefile("rb") as answer:
            return int(answer.readline().split()[1])


def open_session_of_somebody(app: Flask) -> str:
    """Sign somebody in beside the server, and give the token."""
    settings = app.extensions["openbadges"].service

    def unit(session: Session) -> str:
        user = a_user(name="Ada")
        session.add(user)
        session.flush()
        opened = sessions.open_session(
            session,
            user=user,
            authentication=sessions.Authentication(method="passkey"),
            device=Device(label="Firefox on Linux", network=None),
            settings=settings,
        )
        return opened.token

    return run_unit(app, unit)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_session_that_ends_while_the_body_trickles_in_is_over(
    scratch_database: ScratchDatabases, tmp_path: Path
) -> None:
    """Against a real server: a thief cannot keep a foot in the door."""
    variables = scratch_database()
    log = tmp_path / "service.log"
    with (
        running_server({**DEVELOPMENT, **variables}, log, workers=1) as server,
        application_on(variables) as app,
    ):
        token = open_session_of_somebody(app)
        in_time, late = (Slow(server, "/api/auth/recovery-codes", token) for _ in range(2))
        assert in_time.finish() == 201

        run_unit(app, lambda session: session_ends.end_session_by_token(session, token=token))

        assert late.finish() == 401
