"""The fixtures keep their promises: every other test leans on them."""

import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.config import Settings
from app.models import User
from tests.conftest import Transaction
from tests.support.clients import NoAnswerError
from tests.support.counts import trials
from tests.support.databases import EngineName, ScratchDatabases
from tests.support.deployments import deployed
from tests.support.people import sign_up
from tests.support.servers import running_server
from tests.support.tables import count
from tests.support.variables import DEVELOPMENT


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_finds_empty_tables(transaction: Transaction, turn: str) -> None:
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 0
        session.add(User(email=None, email_canonical=None, name=turn, webauthn_id=b"handle"))

    with transaction() as session:
        assert session.scalars(select(User.name)).all() == [turn]


def test_the_settings_name_the_engine(settings: Settings, engine_name: EngineName) -> None:
    assert settings.database.kind == engine_name


def test_an_application_with_other_variables_has_a_database_of_its_own(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    other: Settings = make_app(REGISTRATION="closed").extensions["openbadges"]
    usual: Settings = app.extensions["openbadges"]

    assert other.service.registration == "closed"
    assert other.database.url != usual.database.url


def test_a_server_answers_and_is_gone_afterwards(
    scratch_database: ScratchDatabases, tmp_path: Path
) -> None:
    variables = {**DEVELOPMENT, **scratch_database()}

    with running_server(variables, tmp_path / "service.log") as server:
        port = urlsplit(server.origin).port
        assert server.log().count("Booting worker") == 2
        socket.create_connection(("127.0.0.1", port)).close()

    assert server.process.returncode == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_killed_server_is_gone_with_its_workers_and_starts_again(
    scratch_database: ScratchDatabases, tmp_path: Path
) -> None:
    with deployed(scratch_database(), tmp_path, workers=2) as deployment:
        server = deployment.server
        before = server.worker_pids()
        sign_up(deployment.browser())

        server.kill()
        with pytest.raises(NoAnswerError):
            deployment.browser().get("/healthz")
        server.start()

        assert len(before) == 2
        assert set(server.worker_pids()).isdisjoint(before)
        assert count(deployment.app, User) == 1


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    database = {"SQLITE_FILE": str(tmp_path / "service.db")}
    variables = {**DEVELOPMENT, **database, "REGISTRATION": "sometimes"}

    with (
        pytest.raises(RuntimeError, match="REGISTRATION"),
        running_server(variables, tmp_path / "service.log"),
    ):
        pass


@pytest.mark.parametrize(("chosen", "expected"), [("1", 200), ("", 20)], ids=["full", "quick"])
def test_the_full_run_has_ten_times_the_trials(
    monkeypatch: pytest.MonkeyPatch, chosen: str, expected: int
) -> None:
    monkeypatch.setenv("TEST_FULL", chosen)

    assert trials(200) == expected
