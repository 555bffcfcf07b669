"""What holds for every request and every answer: host, proof of origin, headers, one log line."""

import re
import time
from http import HTTPStatus

import structlog
from flask import Flask, Response, g, request
from werkzeug.routing import BaseConverter

from app.answer_headers import API_POLICY, PAGE_POLICY, standing_headers
from app.blueprints import bodies, cookies, current
from app.blueprints.same_origin import require_proof
from app.config import ServiceSettings
from app.errors import MisdirectedRequest
from app.identifiers import ID_PATTERN, new_id
from app.services.application_details import ID

_log = structlog.get_logger("app.request")

_CHECK = "/api/auth/verify"
_ANY_HOST = {"/healthz", "/readyz", _CHECK}
_FILES = {"static", "handover.send_file"}
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_LONG_WORD = re.compile(r"[A-Za-z0-9_ %-]{20,}")


class RowId(BaseConverter):
    """An id in a path: what cannot be one is nowhere, and never reaches the database."""

    regex = ID_PATTERN


class ProviderName(BaseConverter):
    """An identity provider's name in a path: one of ``OAUTH_PROVIDERS``, or nowhere."""

    regex = "[a-z][a-z0-9_]{0,30}"


class ApplicationId(BaseConverter):
    """An application's id in a path; whether there is one by it, the registry says."""

    regex = ID.pattern


def register_baseline(app: Flask) -> None:
    """Put the baseline before and behind every view."""
    app.url_map.converters |= {
        "id": RowId,
        "provider": ProviderName,
        "application": ApplicationId,
    }
    # Else `//path` is answered by a redirect to an absolute URL made of the request's headers.
    app.url_map.merge_slashes = False
    app.before_request(_begin)
    app.before_request(_require_own_host)
    app.before_request(_require_readable_cookies)
    app.before_request(_require_same_origin)
    app.before_request(bodies.receive_body)
    app.after_request(_finish)
    app.teardown_request(_forget)


def _begin() -> None:
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-Id", "")
    trusted = current.settings().trusted_proxies > 0 and _REQUEST_ID.fullmatch(given)
    g.request_id = given if trusted else new_id()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _require_own_host() -> None:
    # Health checks come by address, a proxy's checks by whatever name it has, and the page that
    # says where we are needs its style sheet; all else comes by the one name that browsers know.
    # On which host an application is, the registry says (app.blueprints.handover.hosts).
    if request.path in _ANY_HOST or request.endpoint == "static" or current.is_at_application():
        return
    if request.environ.get("HTTP_HOST", "").lower() not in current.settings().hosts:
        sentence = f"This service is at {current.settings().public_origin}/ and nowhere else."
        raise MisdirectedRequest(sentence, reason="unknown host")


def _require_readable_cookies() -> None:
    if request.path == _CHECK:
        # To the proxy, whatever is odd is somebody who is not signed in.
        return
    current.session_token()
    current.browser_token()


def _require_same_origin() -> None:
    if not current.is_at_application():
        require_proof(current.settings().public_origin)


def _finish(response: Response) -> Response:
    settings = current.settings()
    _add_headers(response, settings)
    if (token := g.get("new_browser_token")) is not None:
        cookies.set_browser_cookie(response, settings, token=token)
    _log.info(
        "request",
        method=request.method,
        path=_LONG_WORD.sub(_hide_secret, request.path),
        endpoint=request.endpoint,
        status=response.status_code,
        duration_ms=round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 2),
    )
    return response


def _hide_secret(found: re.Match[str]) -> str:
    # Somebody may paste a token or a code into the address bar; of all that is long, ids alone
    # are known to open nothing.
    return found[0] if re.fullmatch(ID_PATTERN, found[0]) else "<masked>"


def _forget(_error: BaseException | None) -> None:
    # What the server logs between two requests is nobody's.
    structlog.contextvars.clear_contextvars()


def _add_headers(response: Response, settings: ServiceSettings) -> None:
    response.headers.update(standing_headers(settings))
    if current.is_at_application():
        # Whether browsers may reach it by https alone, and names below it, is the application's.
        response.headers.pop("Strict-Transport-Security", None)
    is_page = response.mimetype == "text/html" or request.endpoint in _FILES
    response.headers["Content-Security-Policy"] = PAGE_POLICY if is_page else API_POLICY
    response.headers["X-Request-Id"] = g.get("request_id", "")
    response.vary.add("Cookie")
    if request.endpoint not in _FILES or response.status_code >= HTTPStatus.BAD_REQUEST:
        response.headers["Cache-Control"] = "no-store"
