"""People who are signed in at the identity host and at applications, without a ceremony."""

import secrets
from dataclasses import dataclass, field

from flask import Flask
from sqlalchemy.orm import Session

from app import clock
from app.models import Role, User
from app.services import sessions
from app.services.devices import Device
from app.services.handovers import Destination, make_code, redeem_code
from app.services.tokens import hash_secret
from tests.support.platforms import Platform
from tests.support.units import run_unit

_DEVICE = Device(label="Firefox on Linux", network=None)


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody with a session at the identity host, and the tokens of its children by id."""

    user_id: str
    session_id: str
    root: str
    children: dict[str, str] = field(default_factory=dict)

    def token(self, name: str) -> str:
        """Give the cookie of this person's browser at an application, or at `identity`."""
        return self.children.get(name, self.root)


def visit(
    platform: Platform,
    *applications: str,
    name: str = "Ada Lovelace",
    email: str | None = None,
    role: Role = "user",
    groups: tuple[str, ...] = (),
) -> Visitor:
    """Create a person whose address is proved, signed in here and at the applications named."""
    settings = platform.app.extensions["openbadges"].service

    def sign_in(session: Session) -> Visitor:
        user = User(
            email=email,
            email_canonical=email,
            email_verified_at=clock.now() if email else None,
            name=name,
            role=role,
            groups=[*groups],
            webauthn_id=secrets.token_bytes(64),
        )
        session.add(user)
        session.flush()
        opened = sessions.open_session(
            session,
            user=user,
            authentication=sessions.Authentication(method="passkey"),
            device=_DEVICE,
            settings=settings,
        )
        return Visitor(user_id=user.id, session_id=opened.session.id, root=opened.token)

    visitor = run_unit(platform.app, sign_in)
    for one in applications:
        visitor.children[one] = hand_over(
            platform.app, visitor, application_id=one, origin=platform.origin(one)
        )
    return visitor


def hand_over(app: Flask, visitor: Visitor, *, application_id: str, origin: str) -> str:
    """Open a session at an application, as a browser that comes with a code; give its token."""
    browser_hash = hash_secret(secrets.token_urlsafe(32))
    destination = Destination(
        application_id=application_id, origin=origin, browser_hash=browser_hash, return_to="/"
    )
    code = run_unit(
        app,
        lambda session: make_code(session, root_id=visitor.session_id, destination=destination),
    )
    arrival = run_unit(
        app,
        lambda session: redeem_code(
            session,
            code=code,
            application_id=application_id,
            origin=origin,
            browser_hash=browser_hash,
            device=_DEVICE,
            replaces=None,
        ),
    )
    return arrival.token
