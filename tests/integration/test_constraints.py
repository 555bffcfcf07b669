"""What the database itself enforces: unique values and lists of values, each by its name.

DB-8. Foreign keys are in test_references.py.
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import pytest
from sqlalchemy import CheckConstraint, Table, UniqueConstraint, update
from sqlalchemy.exc import IntegrityError

from app.models import Application, Base, Challenge, Invitation, User, UserSession
from app.models.oauth import AuthorizationRequest
from tests.conftest import Transaction
from tests.support.rows import (
    a_challenge,
    a_credential,
    a_handover_code,
    a_recovery_code,
    a_removed_credential,
    a_session,
    a_user,
    an_application,
    an_authorization_request,
    an_identity,
    an_invitation,
)

ISSUER = "https://id.example.org"


@dataclass(frozen=True)
class Stored:
    """What other rows refer to."""

    user: User = field(default_factory=a_user)
    application: Application = field(default_factory=an_application)

    @cached_property
    def session(self) -> UserSession:
        return a_session(self.user)


@dataclass(frozen=True)
class Unique:
    """How to make a row with a value that is taken, and with others that are not."""

    make: Callable[[Stored, str], Base]
    free: tuple[str, ...] = ("Body", "taken ")


def linked(stored: Stored, value: str) -> Base:
    issuer, _, subject = value.rpartition("#")
    # Under whatever name the operator configured the provider.
    name = secrets.token_hex(4)
    return an_identity(stored.user, provider=name, issuer=issuer or ISSUER, subject=subject)


UNIQUE = {
    "uq_users_email_canonical": Unique(lambda _, value: a_user(email_canonical=value)),
    "uq_users_webauthn_id": Unique(lambda _, value: a_user(webauthn_id=value.encode())),
    "uq_webauthn_credentials_credential_id": Unique(
        lambda stored, value: a_credential(stored.user, credential_id=value.encode())
    ),
    "uq_user_sessions_token_hash": Unique(
        lambda stored, value: a_session(stored.user, token_hash=value.encode())
    ),
    "uq_oauth_providers_issuer_provider_id": Unique(
        linked, free=("Body", "https://ID.example.org#taken", "https://other.example.org#taken")
    ),
    "pk_webauthn_challenges": Unique(lambda _, value: a_challenge(hash_=value.encode())),
    "pk_removed_credentials": Unique(lambda _, value: a_removed_credential(hash_=value.encode())),
    "pk_invitations": Unique(lambda _, value: an_invitation(token_hash=value.encode())),
    "pk_recovery_codes": Unique(
        lambda stored, value: a_recovery_code(stored.user, code_hash=value.encode())
    ),
    "pk_oauth_sessions": Unique(
        lambda _, value: an_authorization_request(state_hash=value.encode())
    ),
    "pk_applications": Unique(lambda _, value: an_application(value)),
    "pk_handover_codes": Unique(
        lambda stored, value: a_handover_code(
            stored.session, stored.application, code_hash=value.encode()
        )
    ),
}

LISTS: dict[str, tuple[type[Base], str, tuple[str, ...]]] = {
    "ck_users_role": (User, "role", ("user", "admin")),
    "ck_invitations_role": (Invitation, "role", ("user", "admin")),
    "ck_user_sessions_purpose": (UserSession, "purpose", ("full", "enrol")),
    "ck_webauthn_challenges_purpose": (
        Challenge,
        "purpose",
        ("registration", "authentication", "reauthentication", "enrolment"),
    ),
    "ck_oauth_sessions_purpose": (
        AuthorizationRequest,
        "purpose",
        ("sign_in", "link", "step_up"),
    ),
}


def refused_by(error: IntegrityError) -> str:
    """Name the constraint; SQLite names a unique one by its table and columns alone."""
    if (diagnosis := getattr(error.orig, "diag", None)) is not None:
        return str(diagnosis.constraint_name)
    message = str(error.orig)
    if found := re.fullmatch(r"CHECK constraint failed: (\w+)", message):
        return found[1]
    columns = message.removeprefix("UNIQUE constraint failed: ").split(", ")
    table = Base.metadata.tables[columns[0].partition(".")[0]]
    names = [column.partition(".")[2] for column in columns]
    return next(
        str(constraint.name)
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint) or constraint is table.primary_key
        if [column.name for column in constraint.columns] == names
    )


@pytest.mark.parametrize("name", UNIQUE)
def test_a_taken_value_is_refused_by_name(transaction: Transaction, name: str) -> None:
    stored, case = Stored(), UNIQUE[name]
    with transaction() as session:
        for row in (stored.user, stored.session, stored.application):
            session.add(row)
            session.flush()
        session.add_all([case.make(stored, value) for value in ("taken", *case.free)])

    with pytest.raises(IntegrityError) as refusal, transaction() as session:
        session.add(case.make(stored, "taken"))

    assert refused_by(refusal.value) == name


def test_any_number_of_people_have_no_address(transaction: Transaction) -> None:
    with transaction() as session:
        session.add_all([a_user(email_canonical=None), a_user(email_canonical=None)])


@pytest.mark.parametrize("name", LISTS)
def test_a_value_outside_its_list_is_refused_by_name(transaction: Transaction, name: str) -> None:
    model, column, allowed = LISTS[name]
    user = a_user()
    with transaction() as session:
        session.add(user)
        session.flush()
        session.add_all([a_session(user), a_challenge(), an_authorization_request()])
        session.add(an_invitation())

    for value in allowed:
        with transaction() as session:
            session.execute(update(model).values({column: value}))
    for value in ("owner", "", allowed[0].upper(), f"{allowed[0]} "):
        with pytest.raises(IntegrityError) as refusal, transaction() as session:
            session.execute(update(model).values({column: value}))
        assert refused_by(refusal.value) == name


def test_every_constraint_of_the_tables_has_its_case() -> None:
    def named(table: Table) -> set[str]:
        checks = {one for one in table.constraints if isinstance(one, CheckConstraint)}
        uniques = {one for one in table.constraints if isinstance(one, UniqueConstraint)}
        # Ids are made by us, and nobody else chooses them; but operators do, those of applications.
        is_ours = "id" in table.primary_key.columns and table.name != "applications"
        keys = set() if is_ours else {table.primary_key}
        return {str(one.name) for one in checks | uniques | keys}

    of_all_tables = set().union(*map(named, Base.metadata.tables.values()))

    assert of_all_tables == UNIQUE.keys() | LISTS.keys()
