"""Headers that answers carry, whoever makes them: a view, a refusal, or the session gate."""

from http import HTTPStatus

from app.config import ServiceSettings

RETRY_AFTER_SECONDS = "2"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
API_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "publickey-credentials-get=(self), publickey-credentials-create=(self),"
        " camera=(), geolocation=(), microphone=(), payment=(), usb=()"
    ),
}


def standing_headers(settings: ServiceSettings) -> dict[str, str]:
    """Give what every answer carries: how a browser has to treat it."""
    if not settings.secure:
        return _ALWAYS
    return {**_ALWAYS, "Strict-Transport-Security": "max-age=63072000; includeSubDomains"}


def refusal_headers(status: int) -> dict[str, str]:
    """Give what a refusal of this status carries besides."""
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": RETRY_AFTER_SECONDS}
    if status == HTTPStatus.UNAUTHORIZED:
        # Required by RFC 9110 section 11.6.1; no browser acts upon this scheme.
        return {"WWW-Authenticate": "Session"}
    return {}
