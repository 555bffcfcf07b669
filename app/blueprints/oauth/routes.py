"""To a provider and back, for people (RFC 6749 section 4.1).

What a provider's redirect brings is answered by a redirect of ours, so that code and state leave
the address bar (RFC 9700 section 4.2.4); a refusal is told by the page of refusals.
"""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from urllib.parse import urlencode

import structlog
from flask import Blueprint, Response, g, request, url_for
from werkzeug.exceptions import MethodNotAllowed

from app.blueprints import current
from app.blueprints.guards import Level, Unit, operation, sign_in_with
from app.blueprints.oauth import round_trips
from app.blueprints.oauth.schemas import AuthorizeQuery, CallbackQuery
from app.blueprints.return_paths import return_path
from app.errors import DatabaseUnavailable, NotFound, ProviderUnavailable, ServiceError
from app.identity_providers import IdentityProvider

blueprint = Blueprint("oauth", __name__, url_prefix="/api/oauth")

Query = TypeVar("Query")

_log = structlog.get_logger(__name__)


def _on_the_way(
    view: Callable[[IdentityProvider, Query], Response],
) -> Callable[[str, Query], Response]:
    """Give the view its provider, and lead to the page of refusals where it refuses."""

    @wraps(view)
    def led(provider: str, query: Query) -> Response:
        # A HEAD request must not use up what a GET is for.
        if request.method != "GET":
            raise MethodNotAllowed(["GET"])
        at = current.identity_provider(provider)
        try:
            return view(at, query)
        except DatabaseUnavailable:
            raise
        except ServiceError as refusal:
            is_trouble = isinstance(refusal, ProviderUnavailable)
            log = _log.warning if is_trouble else _log.info
            log("refused", code=refusal.code, reason=refusal.reason, provider=provider)
            told = {"code": refusal.code, "provider": provider, "return_to": g.get("return_to")}
            return _to("pages.show_refusal", **told)

    return led


@blueprint.get("/<provider:provider>/authorize")
@operation(Level.PUBLIC, Unit.NONE, status=303, query=AuthorizeQuery, refusals=(NotFound,))
@_on_the_way
def authorize(provider: IdentityProvider, query: AuthorizeQuery) -> Response:
    """Begin to sign in at a provider."""
    path = return_path(query.return_to, default=url_for("pages.show_account"))
    # Another site may lead people to the sign-in page, but nobody is signed in unasked.
    if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        return _to("pages.show_sign_in", return_to=path)
    g.return_to = path
    return _see(round_trips.begin(provider, purpose="sign_in", return_to=path))


@blueprint.get("/<provider:provider>/callback")
@operation(Level.PUBLIC, Unit.NONE, status=303, query=CallbackQuery, refusals=(NotFound,))
@_on_the_way
def receive_callback(provider: IdentityProvider, query: CallbackQuery) -> Response:
    """Take a provider's answer, once, in the browser that asked for it."""
    finished = round_trips.finish(provider, query)
    response = _see(finished.location)
    if finished.signed_in is not None:
        sign_in_with(response, finished.signed_in.active, finished.signed_in.token)
    return response


def _to(page: str, **query: str | None) -> Response:
    told = urlencode({name: value for name, value in query.items() if value})
    return _see(f"{url_for(page)}?{told}")


def _see(location: str) -> Response:
    return Response(status=303, headers={"Location": location})
