"""What a route may ask about the request under way and the service that answers it."""

from typing import Any

import structlog
from flask import current_app, g, request
from flask_login import current_user

from app.blueprints import cookies
from app.blueprints.return_paths import ON_OTHER_HOSTS
from app.config import ServiceSettings, Settings
from app.errors import DatabaseUnavailable, NotFound, NotSignedIn
from app.extensions import login_manager
from app.identity_providers import IdentityProvider, IdentityProviders
from app.relying_party import RelyingParty
from app.services import sessions
from app.services.authentication import AuthenticationCeremonies
from app.services.challenges import Binding
from app.services.devices import Device, describe_device
from app.services.outside_sign_in import OutsideSignIn
from app.services.registration import RegistrationCeremonies
from app.services.sealing import Sealer
from app.services.session_ends import end_expired_sessions
from app.services.session_lookup import SessionRow
from app.services.sessions import ActiveSession
from app.services.tokens import hash_secret
from app.session_gate import SessionGate
from app.transaction import with_transaction

_log = structlog.get_logger(__name__)


class CurrentUser:
    """Flask-Login's view of whoever holds the session."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, active: ActiveSession) -> None:
        """Take the session that is good now."""
        self.active = active

    def get_id(self) -> str:
        """Give the person's id."""
        return self.active.person.id


@login_manager.request_loader  # type: ignore[untyped-decorator]
def load_current_user(_request: object) -> CurrentUser | None:
    """Find the session of this request; nothing of it is kept between two requests."""
    token = session_token()
    if token is None:
        return None
    found = with_transaction(
        lambda session: sessions.find_session(session, token=token), writes=False
    )
    if found is None:
        return None
    if found.ends_now:
        _end_expired(found)
    active = sessions.active_session(found)
    if active is None:
        return None
    name_in_log(user_id=active.person.id, session_id=active.id)
    return CurrentUser(active)


def _end_expired(found: SessionRow) -> None:
    # Whoever was refused once stays refused, whatever becomes of the clock (docs/sessions.md).
    ids = {found.id, found.root_id}
    try:
        with_transaction(lambda session: end_expired_sessions(session, ids=ids), impatient=True)
    except DatabaseUnavailable:
        _log.warning("expired_session_not_ended")


def name_in_log(*, user_id: str, session_id: str) -> None:
    """Say in every further log line of this request whose it is; neither id opens anything."""
    structlog.contextvars.bind_contextvars(user_id=user_id, session_id=session_id)


def settings() -> ServiceSettings:
    """Give the settings of the service."""
    loaded: Settings = current_app.extensions["openbadges"]
    return loaded.service


def find_session() -> ActiveSession | None:
    """Give the session of this request, if it is signed in."""
    found: Any = getattr(current_user, "active", None)
    return found if isinstance(found, ActiveSession) else None


def active_session() -> ActiveSession:
    """Give the session of this request. Raises ``NotSignedIn``."""
    active = find_session()
    if active is None:
        raise NotSignedIn
    return active


def session_token() -> str | None:
    """Give the session cookie's value. Raises ``CookieRefused``."""
    return cookies.read_session_cookie(_cookie_header(), settings())


def browser_token() -> str | None:
    """Give the browser cookie's value. Raises ``CookieRefused``."""
    return cookies.read_browser_cookie(_cookie_header(), settings())


def handover_token() -> str | None:
    """Give the mark of the browser on an application's host. Raises ``CookieRefused``."""
    return cookies.read_handover_cookie(_cookie_header(), settings())


def is_at_application() -> bool:
    """Tell whether the request was made to the host of an application, or would like to be."""
    return request.path.startswith(ON_OTHER_HOSTS)


def mark_browser() -> str:
    """Give the browser cookie's value, and see to it that the browser has one."""
    token = browser_token() or getattr(g, "new_browser_token", None)
    if token is None:
        token = g.new_browser_token = cookies.new_browser_token()
    return token


def binding(*, to_session: bool) -> Binding:
    """Say what a ceremony of this request is bound to."""
    browser_hash = hash_secret(mark_browser())
    if not to_session:
        return Binding(browser_hash=browser_hash)
    active = active_session()
    return Binding(browser_hash=browser_hash, user_id=active.person.id, session_id=active.id)


def device() -> Device:
    """Describe the client of this request."""
    return describe_device(
        user_agent=request.headers.get("User-Agent"), address=request.remote_addr
    )


def relying_party() -> RelyingParty:
    """Give the relying party that this service is."""
    service = settings()
    return RelyingParty(rp_id=service.rp_id, name=service.rp_name, origin=service.public_origin)


def registration() -> RegistrationCeremonies:
    """Give the registration ceremonies."""
    return RegistrationCeremonies(relying_party=relying_party(), settings=settings())


def authentication() -> AuthenticationCeremonies:
    """Give the authentication ceremonies."""
    return AuthenticationCeremonies(relying_party=relying_party(), settings=settings())


def identity_providers() -> IdentityProviders:
    """Give the providers that are switched on; they keep what they fetched between requests."""
    made: IdentityProviders | None = current_app.extensions.get("identity_providers")
    if made is None:
        # Of two threads that come first, both take what one of them made.
        made = current_app.extensions.setdefault(
            "identity_providers", IdentityProviders(settings().providers)
        )
    return made


def identity_provider(name: str) -> IdentityProvider:
    """Give one provider. Raises ``NotFound`` where it is unknown or switched off."""
    provider = identity_providers().get(name)
    if provider is None:
        raise NotFound
    return provider


def find_identity_provider(issuer: str) -> IdentityProvider | None:
    """Give the provider of an issuer, whatever it is called now, if it is switched on."""
    providers = identity_providers().values()
    return next((one for one in providers if one.settings.issuer == issuer), None)


def session_gate() -> SessionGate:
    """Give the gate that answers checks, also where none stands in front of this application."""
    made: SessionGate | None = current_app.extensions.get("session_gate")
    if made is None:
        made = current_app.extensions.setdefault(
            "session_gate", SessionGate(current_app.extensions["openbadges"])
        )
    return made


def sealer() -> Sealer:
    """Give what seals and opens stored secrets."""
    return Sealer(settings().secret_keys)


def outside_sign_in(provider: IdentityProvider) -> OutsideSignIn:
    """Give the rules of signing in by this provider."""
    return OutsideSignIn(provider=provider.settings, settings=settings(), sealer=sealer())


def _cookie_header() -> str:
    return request.headers.get("Cookie", "")
