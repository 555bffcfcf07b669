"""`flask secrets rotate`: what an older key sealed is sealed anew, whatever comes in between.

ASVS 11.2.2, 13.3.4.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from app import create_app
from app.cli.secrets import OPENS_NOTHING, _reseal_all
from app.config import Settings, load_settings
from app.identity_providers.values import ProviderTokens
from app.models import AuthorizationRequest, Identity
from app.services import resealing
from app.services.provider_tokens import open_tokens, store_tokens
from app.services.resealing import Batch
from app.services.sealing import Place, Sealer
from tests.conftest import Transaction
from tests.support.crowds import both_at_once
from tests.support.databases import ScratchDatabases
from tests.support.rows import a_hash, a_user, an_authorization_request, an_identity
from tests.support.tables import contents
from tests.support.units import application_on, engine_of

ORIGIN = "https://id.example.org"
OLDEST, OLD, NEW = (secrets.token_bytes(32) for _ in range(3))
FIRST, SECOND, NEWEST = Sealer([OLDEST]), Sealer([OLD]), Sealer([NEW])
NEWER = "v1.newer"
PEOPLE = 7
VERIFIER = "verifier" * 6


@contextmanager
def with_keys(settings: Settings, *keys: bytes) -> Iterator[Flask]:
    """Give the service as it is with these keys."""
    service = replace(settings.service, secret_keys=keys)
    app = create_app(replace(settings, service_or_problem=service))
    try:
        yield app
    finally:
        engine_of(app).dispose()


@pytest.fixture
def rotating(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Give the service whose operator has put a new key first; batches are small."""
    monkeypatch.setattr(resealing, "BATCH", 3)
    with with_keys(settings, NEW, OLD, OLDEST) as made:
        yield made


def rotate(app: Flask, *options: str) -> Result:
    return app.test_cli_runner().invoke(args=("secrets", "rotate", *options))


def seal_some(transaction: Transaction, sealer: Sealer, *, people: int = PEOPLE) -> list[str]:
    """Give people tokens, and somebody a sign-in that is under way."""
    made = []
    with transaction() as session:
        for number in range(people):
            session.add(user := a_user())
            session.flush()
            session.add(identity := an_identity(user, provider="github"))
            tokens = ProviderTokens(access_token=f"gho_{number}", refresh_token=f"ghr_{number}")
            store_tokens(session, identity=identity, tokens=tokens, sealer=sealer)
            made.append(identity.id)
        state_hash = a_hash()
        request = an_authorization_request(state_hash=state_hash)
        request.code_verifier = sealer.seal(VERIFIER, place=place_of(state_hash))
        session.add(request)
    return made


def place_of(state_hash: bytes) -> Place:
    return Place(table="oauth_sessions", column="code_verifier", row=state_hash.hex())


def readable(transaction: Transaction, sealer: Sealer) -> int:
    """Count the values that can be opened, each in its place."""
    with transaction() as session:
        opened = [open_tokens(identity, sealer) for identity in session.query(Identity)]
        requests = list(session.query(AuthorizationRequest))
    ours = f"v1.{sealer.key_ids[0]}."
    for one in requests:
        if one.code_verifier.startswith(ours):
            place = place_of(one.state_hash)
            opened.append([sealer.open(one.code_verifier, place=place)])
            assert opened[-1] == [VERIFIER]
    return sum(map(len, opened))


ALL = 2 * PEOPLE + 1


def report(*states: str, done: str) -> str:
    """Say what is printed: what was done, and the state of each key."""
    ids = [sealer.key_ids[0] for sealer in (NEWEST, SECOND, FIRST)]
    lines = [f"{at}  {id_}  {state}\n" for at, (id_, state) in enumerate(zip(ids, states), 1)]  # noqa: B905
    return f"{done} sealed anew with the newest key.\nSECRET_KEYS, newest first:\n{''.join(lines)}"


def test_everything_is_sealed_anew_and_old_keys_are_needed_no_longer(
    rotating: Flask, transaction: Transaction
) -> None:
    seal_some(transaction, FIRST)
    seal_some(transaction, SECOND)
    seal_some(transaction, NEWEST)

    done = rotate(rotating)

    states = (f"seals what is new; {3 * ALL} values", OPENS_NOTHING, OPENS_NOTHING)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == report(*states, done=f"{2 * ALL} values were")
    assert readable(transaction, NEWEST) == 3 * ALL


def test_nothing_is_written_where_all_is_sealed_with_the_newest_key(
    rotating: Flask, transaction: Transaction
) -> None:
    seal_some(transaction, NEWEST)
    before = contents(rotating)

    done = rotate(rotating)

    assert (done.exit_code, done.stdout.splitlines()[0][:14]) == (0, "0 values were ")
    assert contents(rotating) == before


def test_dry_run_says_what_would_be_done_and_changes_nothing(
    rotating: Flask, transaction: Transaction
) -> None:
    seal_some(transaction, FIRST)
    seal_some(transaction, NEWEST, people=0)
    before = contents(rotating)

    done = rotate(rotating, "--dry-run")

    states = ("seals what is new; 1 value", OPENS_NOTHING, f"still needed: {ALL} values")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == report(*states, done=f"{ALL} values would be")
    assert contents(rotating) == before


def test_what_cannot_be_opened_is_left_and_the_command_says_so(
    rotating: Flask, settings: Settings, transaction: Transaction
) -> None:
    """Once the key is back, the next run succeeds: nothing was lost by the first."""
    seal_some(transaction, FIRST)
    seal_some(transaction, SECOND)
    with with_keys(settings, NEW, OLD) as without_oldest:
        tried, done = rotate(without_oldest, "--dry-run"), rotate(without_oldest)

    for one in (tried, done):
        assert one.exit_code == 1
        assert one.stderr.startswith(f"Error: {ALL} values cannot be opened: the key was removed")
    assert done.stdout.startswith(f"{ALL} values were sealed anew")
    assert (readable(transaction, NEWEST), readable(transaction, FIRST)) == (ALL, ALL)

    again = rotate(rotating)
    assert (again.exit_code, readable(transaction, NEWEST)) == (0, 2 * ALL)


def test_value_that_was_moved_is_left_and_told_of(
    rotating: Flask, transaction: Transaction
) -> None:
    """ASVS 11.3.3: sealing it anew in its new place would make it good there."""
    one, other = seal_some(transaction, SECOND)[:2]
    with transaction() as session:
        stolen = session.get_one(Identity, one).access_token
        session.execute(update(Identity).where(Identity.id == other).values(access_token=stolen))

    done = rotate(rotating)

    assert done.exit_code == 1
    assert done.stderr.startswith("Error: 1 value cannot be opened")
    assert "still needed: 1 value\n" in done.stdout
    with transaction() as session:
        assert session.get_one(Identity, other).access_token == stolen
    assert readable(transaction, NEWEST) == ALL - 1


def test_run_that_was_interrupted_is_continued_by_the_next(
    rotating: Flask, transaction: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal_some(transaction, FIRST)
    batches = []

    def interrupted(session: Session, *arguments: object, **keywords: object) -> Batch:
        batch = resealing.reseal_batch(session, *arguments, **keywords)  # type: ignore[arg-type]
        batches.append(batch)
        if len(batches) == 3:
            raise KeyboardInterrupt
        return batch

    with monkeypatch.context() as patch:
        patch.setattr("app.cli.secrets.reseal_batch", interrupted)
        done = rotate(rotating)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: Interrupted. What was sealed anew so far stays so")
    # The third batch had not been committed.
    assert (readable(transaction, NEWEST), readable(transaction, FIRST)) == (6, ALL - 6)
    assert rotate(rotating).stdout.startswith(f"{ALL - 6} values were")
    assert readable(transaction, NEWEST) == ALL


def test_two_at_once_do_no_harm(rotating: Flask, transaction: Transaction) -> None:
    seal_some(transaction, FIRST, people=40)

    def run_one() -> tuple[int, int]:
        with rotating.app_context():
            outcome = _reseal_all(Sealer([NEW, OLD, OLDEST]), dry_run=False)
        return outcome.resealed, outcome.unsealable

    done = both_at_once(run_one, run_one)

    assert [sum(counts) for counts in zip(*done, strict=True)] == [81, 0]
    assert readable(transaction, NEWEST) == 81


def test_token_that_is_newer_is_not_overwritten(
    transaction: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that was renewed after the batch was read stays."""
    identity_id, *_ = seal_some(transaction, SECOND, people=1)
    column, sealer = resealing.SEALED_COLUMNS[0], Sealer([NEW, OLD])
    opened = sealer.open

    def renewed_meanwhile(sealed: str, *, place: Place) -> str:
        renewal = update(Identity).values(access_token=NEWER)
        session.execute(renewal, execution_options={"synchronize_session": False})
        return opened(sealed, place=place)

    with transaction() as session:
        monkeypatch.setattr(sealer, "open", renewed_meanwhile)
        batch = resealing.reseal_batch(session, column, sealer=sealer)

    assert (batch.seen, batch.resealed, batch.unsealable) == (1, 0, 0)
    with transaction() as session:
        assert session.get_one(Identity, identity_id).access_token == NEWER


def test_help_teaches(app: Flask) -> None:
    shown = [
        " ".join(app.test_cli_runner().invoke(args=("secrets", *command, "--help")).stdout.split())
        for command in ((), ("rotate",))
    ]

    assert "rotate" in shown[0]
    words = ("put it last", "restart", "put it first", "interrupted", "--dry-run", "exit status")
    assert [word for word in words if word not in shown[1]] == []


def test_progress_is_shown_on_a_terminal_alone(
    rotating: Flask, transaction: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal_some(transaction, FIRST)
    assert rotate(rotating, "--dry-run").stderr == ""

    monkeypatch.setattr("app.cli.secrets._is_terminal", lambda: True)
    assert "Sealing" in rotate(rotating).stderr


def test_command_without_the_schema_or_the_keys_says_what_is_missing(
    scratch_database: ScratchDatabases,
) -> None:
    with application_on(scratch_database()) as app:
        no_schema = rotate(app)
    no_keys = rotate(create_app(load_settings({**scratch_database(), "PUBLIC_ORIGIN": ORIGIN})))

    assert (no_schema.exit_code, no_keys.exit_code) == (1, 1)
    assert "run `flask db upgrade` first" in no_schema.stderr
    assert no_keys.stderr.startswith("Error: SECRET_KEYS is missing")
    assert "Traceback" not in no_schema.output + no_keys.output
