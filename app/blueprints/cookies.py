"""Our cookies: the session, the browser that began a ceremony or the way to an application."""

from flask import Response

from app.config import ServiceSettings
from app.cookie_header import cookie_reader
from app.errors import CookieRefused
from app.services.tokens import is_browser_token, is_session_token, new_secret

_BROWSER_MAX_AGE_SECONDS = 400 * 24 * 3600
_HANDOVER_MAX_AGE_SECONDS = 600


def read_session_cookie(header: str, settings: ServiceSettings) -> str | None:
    """Give the session's token. Raises ``CookieRefused`` for what we cannot have set."""
    token = _only_value(header, settings.session_cookie)
    if token is not None and not is_session_token(token):
        raise CookieRefused(reason="malformed session cookie")
    return token


def read_browser_cookie(header: str, settings: ServiceSettings) -> str | None:
    """Give the browser's token. Raises ``CookieRefused`` for what we cannot have set."""
    token = _only_value(header, settings.browser_cookie)
    if token is not None and not is_browser_token(token):
        raise CookieRefused(reason="malformed browser cookie")
    return token


def read_handover_cookie(header: str, settings: ServiceSettings) -> str | None:
    """Give the mark of a browser on an application's host. Raises ``CookieRefused``."""
    token = _only_value(header, settings.handover_cookie)
    if token is not None and not is_browser_token(token):
        raise CookieRefused(reason="malformed hand-over cookie")
    return token


def new_browser_token() -> str:
    """Make a value for the browser cookie."""
    return new_secret()


def set_session_cookie(
    response: Response, settings: ServiceSettings, *, token: str, max_age_seconds: int
) -> None:
    """Sign this browser in. The cookie's age is a courtesy; the server enforces the session's."""
    _set(response, settings, settings.session_cookie, token, max_age_seconds)


def set_browser_cookie(response: Response, settings: ServiceSettings, *, token: str) -> None:
    """Mark this browser, once, so that a ceremony ends where it began."""
    _set(response, settings, settings.browser_cookie, token, _BROWSER_MAX_AGE_SECONDS)


def set_handover_cookie(response: Response, settings: ServiceSettings, *, token: str) -> None:
    """Mark this browser on an application's host, until it has come back from signing in."""
    _set(response, settings, settings.handover_cookie, token, _HANDOVER_MAX_AGE_SECONDS)


def clear_session_cookie(response: Response, settings: ServiceSettings) -> None:
    """Forget the session in this browser."""
    _set(response, settings, settings.session_cookie, "", 0)


def clear_cookies(response: Response, settings: ServiceSettings, *, at_application: bool) -> None:
    """Forget both cookies of a host."""
    clear_session_cookie(response, settings)
    other = settings.handover_cookie if at_application else settings.browser_cookie
    _set(response, settings, other, "", 0)


def _set(
    response: Response, settings: ServiceSettings, name: str, value: str, max_age: int
) -> None:
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        path="/",
        secure=settings.secure,
        httponly=True,
        samesite="Lax",
    )


def _only_value(header: str, name: str) -> str | None:
    values = cookie_reader(name)(header)
    if len(values) > 1:
        raise CookieRefused(reason=f"{name} arrived {len(values)} times")
    return values[0] if values else None
