"""Everybody a check may meet, and the applications that they are asked about.

The rows are written as the service writes them, without ceremonies, and the tokens are given by a
word for whose they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from app import clock
from app.models import Application, User, UserSession
from app.services.tokens import hash_secret, new_session_token
from tests.support.rows import a_session, a_user, an_application
from tests.support.units import run_unit
from tests.support.variables import ORIGIN

WIKI = "https://wiki.example.test"
"""The host of an application that lets everybody in."""
VAULT = "https://vault.example.test"
"""The host of one that lets in those of the group `staff`."""
IN_TIME = timedelta(hours=8)
HEADER_MAP = {"user_id": "Remote-User", "groups": "Remote-Groups", "name": "Remote-Name"}
ODD_NAME = "Zoë %41, Ltd. \t☃"


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Tokens by whose they are; the ids of the sessions and the people by the same words."""

    tokens: Mapping[str, str]
    session_ids: Mapping[str, str]
    user_ids: Mapping[str, str]


def applications() -> list[Application]:
    """Make one of each kind: on hosts of their own, and under paths of the identity host."""
    return [
        an_application("wiki", origins=[WIKI, "https://wiki.example.org"]),
        an_application("vault", origins=[VAULT], allowed_groups=["staff"], header_map=HEADER_MAP),
        an_application("notes", origins=[ORIGIN]),
        an_application("tools", origins=[ORIGIN], allowed_groups=["ops"], header_map=HEADER_MAP),
    ]


def people() -> dict[str, User]:
    """Make somebody of each kind."""
    found = {
        "member": a_user(email_canonical="ada@example.org", name="Ada"),
        "outsider": a_user(email_canonical="eve@example.org", name=ODD_NAME),
        "admin": a_user(email_canonical="root@example.org", name="Root"),
        "nameless": a_user(name=""),
        "disabled": a_user(name="Gone"),
    }
    found["member"].groups = ["ops", "staff"]
    found["member"].email_verified_at = clock.now()
    found["admin"].role = "admin"
    found["disabled"].disabled_at = clock.now()
    return found


def open_for(
    user: User, *, root: UserSession | None = None, application: str | None = None
) -> tuple[UserSession, str]:
    """Make a session that is good now, or the child of one for an application; gives its token."""
    now, token = clock.now(), new_session_token()
    row = a_session(user, token_hash=hash_secret(token), parent=root)
    row.application_id = application
    row.created_at = row.authenticated_at = row.last_seen_at = now
    row.idle_seconds = 3600
    row.idle_expires_at = row.expires_at = now + IN_TIME
    return row, token


def assemble(app: Flask) -> Cast:
    """Write everybody into the database of the application."""

    def unit(session: Session) -> Cast:
        session.add_all(applications())
        users = people()
        session.add_all(users.values())
        session.flush()
        made = {name: open_for(user) for name, user in users.items()}
        for name in ("expired", "idle", "enrol"):
            made[name] = open_for(users["member"])
        _let_time_pass(made)
        session.add_all(row for row, _ in made.values())
        session.flush()
        for name, (root, application) in _CHILDREN.items():
            parent = made[root][0]
            user = users.get(root, users["member"])
            made[name] = open_for(user, root=parent, application=application)
        made["wiki child over"][0].expires_at = clock.now()
        session.add_all(made[name][0] for name in _CHILDREN)
        return Cast(
            tokens={name: token for name, (_, token) in made.items()},
            session_ids={name: row.id for name, (row, _) in made.items()},
            user_ids={name: row.user_id for name, (row, _) in made.items()},
        )

    return run_unit(app, unit)


_CHILDREN = {
    "wiki child": ("member", "wiki"),
    "wiki child over": ("member", "wiki"),
    "wiki child of the idle": ("idle", "wiki"),
    "wiki child of the enrolling": ("enrol", "wiki"),
    "wiki child of the disabled": ("disabled", "wiki"),
    "wiki child of the outsider": ("outsider", "wiki"),
    "vault child": ("member", "vault"),
    "vault child of the outsider": ("outsider", "vault"),
    "notes child": ("member", "notes"),
}
"""By what a child is called, whose it is and what for. The last cannot come about by a hand-over:
an application on the identity host shares the session there."""

GOOD_FOR_THE_SERVICE = ("member", "outsider", "admin", "nameless")
"""Whose sessions are good on the identity host, with nothing else asked."""


def _let_time_pass(made: Mapping[str, tuple[UserSession, str]]) -> None:
    past = clock.now() - timedelta(minutes=1)
    made["expired"][0].expires_at = past
    made["idle"][0].idle_expires_at = past
    for row, _ in made.values():
        row.created_at = past - timedelta(minutes=1)
    made["enrol"][0].purpose = "enrol"
