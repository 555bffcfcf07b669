"""Refusals as HTTP: problem documents for the API (RFC 9457), readable pages for people."""

from http import HTTPStatus
from urllib.parse import quote

import structlog
from flask import Flask, Response, g, redirect, render_template, request
from werkzeug.exceptions import HTTPException

from app import errors
from app.answer_headers import refusal_headers
from app.blueprints import cookies, current
from app.errors import ServiceError
from app.services.access import is_navigation
from app.statuses import problem_document, status_of

_log = structlog.get_logger(__name__)

_ON_THE_WAY = {"oauth.authorize", "oauth.receive_callback", "handover.hand_over"}
_IN_AN_APPLICATIONS_PLACE = {"handover.start", "handover.show_refused"}
_MACHINES = ("/api/", "/healthz", "/readyz", "/openapi.json")


def register_problems(app: Flask) -> None:
    """Turn every exception that leaves a view into an answer that gives nothing away."""
    app.register_error_handler(ServiceError, _refuse)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_crash)


def _refuse(error: ServiceError) -> Response:
    status = status_of(type(error))
    _log.info("refused", code=error.code, reason=error.reason, status=status)
    is_page = is_for_people() and not current.is_at_application()
    if is_page and request.method in {"GET", "HEAD"}:
        if isinstance(error, errors.NotSignedIn):
            return _to_page("/sign-in", return_to=request.full_path.rstrip("?"))
        if isinstance(error, errors.EnrolmentOnly):
            return _to_page("/recovery")
    response = _answer(status, error.code, str(error), dict(error.members))
    response.headers.update(refusal_headers(status))
    if isinstance(error, errors.CookieRefused):
        cookies.clear_cookies(
            response, current.settings(), at_application=current.is_at_application()
        )
    return response


def _answer_http(error: HTTPException) -> Response:
    if isinstance(error.response, Response):
        return error.response
    status = HTTPStatus(error.code or 500)
    code, sentence = _HTTP.get(status, ("request_refused", "That request cannot be answered."))
    response = _answer(status, code, sentence, {})
    for name, value in error.get_headers():
        if name.lower() not in {"content-type", "content-length"}:
            response.headers[name] = value
    return response


def _answer_crash(error: Exception) -> Response:
    _log.error("unexpected_error", exc_info=error)
    return _answer(500, "internal_error", "Something went wrong here. It has been noted.", {})


# Not Python's phrases, which change with its version: a code is stable.
_HTTP = {
    HTTPStatus.BAD_REQUEST: ("malformed_request", "The request could not be read."),
    HTTPStatus.NOT_FOUND: ("not_found", "There is nothing at this address."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method_not_allowed", "That cannot be done at this address."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("too_large", "That is more than this service takes."),
}


def is_for_people() -> bool:
    """Tell whether the request is for a page rather than for the API."""
    if request.endpoint in _IN_AN_APPLICATIONS_PLACE:
        # The proxy asks for these in the place of what the browser asked the application for.
        return is_navigation(request.environ)
    return request.endpoint in _ON_THE_WAY or not request.path.startswith(_MACHINES)


def _answer(status: int, code: str, detail: str, members: dict[str, object]) -> Response:
    title = HTTPStatus(status).phrase
    if is_for_people():
        page = render_template(
            "error.html", status=status, title=title, detail=detail, request_id=g.get("request_id")
        )
        return Response(page, status)
    document = problem_document(status, code, detail, members)
    return Response(document, status, mimetype="application/problem+json")


def _to_page(path: str, *, return_to: str | None = None) -> Response:
    query = f"?return_to={quote(return_to, safe='/')}" if return_to else ""
    response: Response = redirect(f"{path}{query}", HTTPStatus.SEE_OTHER)  # type: ignore[assignment]
    return response
