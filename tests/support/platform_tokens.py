"""Every kind of token that there is on a platform, and every door that one may open."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import UserSession
from app.services.tokens import hash_secret, new_session_token
from tests.support.platform_sites import HANDBOOK
from tests.support.platforms import Platform
from tests.support.raw_requests import Header, Reply
from tests.support.tls_clients import Doors
from tests.support.units import run_unit
from tests.support.visitors import Visitor, visit

NAVIGATION = (
    (b"Sec-Fetch-Mode", b"navigate"),
    (b"Sec-Fetch-Dest", b"document"),
    (b"Sec-Fetch-Site", b"none"),
    (b"Accept", b"text/html"),
)
APPLICATIONS = ("wiki", "evil", "staff")
NAME = "Ada Lovelace"


@dataclass(frozen=True, order=True)
class Door:
    """A path of a host, which is named by its application's id."""

    name: str
    path: str

    def knock(self, platform: Platform, doors: Doors, *headers: Header) -> Reply:
        """Open it as somebody who navigates."""
        path = self.path
        if path.startswith("to "):
            path = _handover(platform, path.removeprefix("to "))
        return doors.ask(platform.host(self.name), path, *headers, *NAVIGATION)

    def is_opened_by(self, reply: Reply) -> bool:
        """Tell whether an answer lets in, or says anything that is for somebody alone."""
        if self.path.startswith("to "):
            return reply.status == 303 and "/.identity/callback?code=" in reply.header("location")
        if self.path.endswith("/sign-out"):
            return reply.status == 200 and b"You are signed in as" in reply.body
        told = {name.lower() for name, _ in reply.headers} & {"x-auth-user-id", "x-answers"}
        return reply.status == 200 or bool(told)


def _at(name: str, *paths: str) -> frozenset[Door]:
    return frozenset(Door(name, path) for path in paths)


SERVICE = _at(
    "identity",
    *("/account", "/api/auth/session", "/api/auth/sessions", "/api/users/me"),
    *(f"{HANDBOOK}page", "to wiki", "to evil", "to staff"),
)
"""What a session at the identity host opens; `to` an application is its hand-over."""
AT = {name: _at(name, "/page", "/.identity/sign-out") for name in APPLICATIONS}
STAFFS_SIGN_OUT = _at("staff", "/.identity/sign-out")
ADMIN = _at("wiki", "/admin/x")
NOBODYS = (
    _at("identity", "/api/auth/verify?app=wiki", "/.identity/wiki/sign-out")
    | _at("identity", "/_openbadges_handbook")
    | _at("wiki", "/_openbadges_wiki", "/_openbadges_wiki_admin", "/.identity/wiki/sign-out")
    | _at("staff", "/_openbadges_staff", "/.identity/wiki/sign-out")
)
"""What is between the proxies and the service."""
DOORS = sorted(SERVICE.union(*AT.values(), ADMIN, NOBODYS))
NOTHING: frozenset[Door] = frozenset()

Table = Mapping[str, tuple[str, frozenset[Door]]]
"""By whose it is: a token, and what it may open."""


def table(platform: Platform) -> Table:
    """Write everybody into the database: who may what."""
    ada, admin = _visitor(platform), _visitor(platform, role="admin")
    found = {
        "root": (ada.root, SERVICE),
        "root of an admin": (admin.root, SERVICE),
        **{f"child at {name}": (ada.token(name), AT[name]) for name in APPLICATIONS},
        "child of an admin": (admin.token("wiki"), AT["wiki"] | ADMIN),
    }
    for why, change in _ENDS.items():
        found |= _over(platform, why, change)
    outsider = _visitor(platform)
    platform.sql("UPDATE users SET groups = '[\"editors\"]' WHERE id = ?", outsider.user_id)
    found["child whose group was taken away"] = (outsider.token("staff"), STAFFS_SIGN_OUT)
    found |= {what: (token, NOTHING) for what, token in _garbage(ada).items()}
    return found


_ENDS = {
    "expired": "UPDATE user_sessions SET expires_at = created_at WHERE id = ?",
    "idle": "UPDATE user_sessions SET idle_expires_at = created_at WHERE id = ?",
    "enrolling": "UPDATE user_sessions SET purpose = 'enrol' WHERE id = ?",
    "signed out": "DELETE FROM user_sessions WHERE id = ?",
    "disabled": (
        "UPDATE users SET disabled_at = created_at"
        " WHERE id IN (SELECT user_id FROM user_sessions WHERE id = ?)"
    ),
}


def _over(platform: Platform, why: str, change: str) -> dict[str, tuple[str, frozenset[Door]]]:
    """Change the root of somebody who is signed in everywhere."""
    one = _visitor(platform)
    platform.sql(change, one.session_id)
    if why == "signed out":
        # As the foreign key does, which a plain connection of SQLite's does not heed.
        platform.sql("DELETE FROM user_sessions WHERE parent_id = ?", one.session_id)
    kinds = {f"{why} root": one.root}
    kinds |= {f"child at {name} of the {why}": one.token(name) for name in APPLICATIONS}
    return {kind: (token, NOTHING) for kind, token in kinds.items()}


def _garbage(of: Visitor) -> dict[str, str]:
    root, child = of.root, of.token("wiki")
    return {
        "unknown": new_session_token(),
        "empty": "",
        "the row's hash": hash_secret(root).hex(),
        "the row's id": of.session_id,
        "the person's id": of.user_id,
        "cut short": root[:-1],
        "too long": f"{root}A",
        "in the other case": root.swapcase(),
        "quoted": f'"{child}"',
        "encoded": "".join(f"%{ord(one):02x}" for one in child),
        "twice": f"{root}; __Host-session={root}",
        "two people's hosts": f"{child}; __Host-session={root}",
        "another cookie's": secrets.token_urlsafe(32),
        "true": "true",
        "null": "null",
        "JSON": json.dumps({"user_id": of.user_id}),
    }


def _visitor(platform: Platform, role: str = "user") -> Visitor:
    return visit(
        platform,
        *APPLICATIONS,
        name=NAME,
        role="admin" if role == "admin" else "user",
        groups=("staff",),
    )


def _handover(platform: Platform, application_id: str) -> str:
    asked = {
        "app": application_id,
        "origin": platform.origin(application_id),
        "browser": secrets.token_urlsafe(32),
        "return_to": "/",
    }
    return f"/api/auth/handover?{urlencode(asked)}"


def let_pass(platform: Platform, user_id: str, seconds: float) -> None:
    """Let time pass for somebody's sessions, rather than waiting."""

    def unit(session: Session) -> None:
        for one in session.scalars(select(UserSession).where(UserSession.user_id == user_id)):
            for moment in ("created_at", "last_seen_at", "idle_expires_at", "expires_at"):
                setattr(one, moment, getattr(one, moment) - timedelta(seconds=seconds))

    run_unit(platform.app, unit)
