"""On the host of an application: the way to its session.

`start` comes in the place of an answer that only people who are signed in may have, and leads them
to the identity host; `callback` takes the code that they come back with. No failure is answered by
a redirect, and `start` leads nobody away who is signed in, so that no loop can come of it.
"""

import re
from base64 import urlsafe_b64encode

import structlog
from flask import Blueprint, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import MethodNotAllowed, NotFound

from app.blueprints import cookies, current
from app.blueprints.guards import Level, Unit, guard
from app.blueprints.handover.hosts import find_visitor, place, require_place
from app.blueprints.handover.navigations import require_navigation, see
from app.blueprints.return_paths import application_path, handover_path
from app.config.service import LONGEST_SESSION_SECONDS
from app.errors import CrossSiteRequest, HandoverUnusable, NotAllowed, NotSignedIn
from app.services.access import is_from_elsewhere, is_navigation
from app.services.handovers import Arrival, is_let_in, redeem_code
from app.services.tokens import hash_secret
from app.statuses import status_of
from app.transaction import with_transaction

blueprint = Blueprint("handover", __name__)
blueprint.before_request(require_place)

AT_APPLICATION = "/.identity/<application:application_id>"
_CODE = re.compile(r"[A-Za-z0-9_-]{43}")
_FILES = {"identity.css", "mark.svg"}

_log = structlog.get_logger(__name__)


@blueprint.get(f"{AT_APPLICATION}/start")
@guard(Level.PUBLIC, Unit.NONE)
def start(application_id: str) -> ResponseReturnValue:
    """Lead a person to the identity host; whatever else is asked for needs a session first."""
    if not is_navigation(request.environ):
        raise NotSignedIn
    wanted = request.args.get("return_to", request.headers.get("X-Forwarded-Uri"))
    target, at = application_path(wanted), place()
    if find_visitor() is not None:
        _log.warning("signed_in_already", application=application_id)
        page = render_template("signed_in_already.html", application=at.application, target=target)
        return page, 409
    token = current.handover_token() or cookies.new_browser_token()
    path = handover_path(
        app=application_id,
        origin=at.origin,
        browser=urlsafe_b64encode(hash_secret(token)).rstrip(b"=").decode(),
        return_to=target,
    )
    response = see(f"{current.settings().public_origin}{path}")
    cookies.set_handover_cookie(response, current.settings(), token=token)
    return response


@blueprint.get(f"{AT_APPLICATION}/callback")
@guard(Level.PUBLIC, Unit.NONE)
def callback(application_id: str) -> ResponseReturnValue:
    """Take the code that a person brings from the identity host, once, in their browser."""
    # A HEAD request must not use up what a GET is for.
    if request.method != "GET":
        raise MethodNotAllowed(["GET"])
    require_navigation()
    try:
        arrival = _arrive(application_id)
    except HandoverUnusable as refusal:
        _log.info("refused", code=refusal.code, reason=refusal.reason, application=application_id)
        page = render_template(
            "handover_failed.html", application=place().application, detail=refusal.sentence
        )
        return page, status_of(HandoverUnusable)
    current.name_in_log(user_id=arrival.user_id, session_id=arrival.session_id)
    response = see(f"{place().origin}{arrival.return_to}")
    # The root's end may be put off by a step-up, of which this host does not hear; what ends the
    # session is the server.
    cookies.set_session_cookie(
        response,
        current.settings(),
        token=arrival.token,
        max_age_seconds=LONGEST_SESSION_SECONDS,
    )
    return response


@blueprint.get(f"{AT_APPLICATION}/refused")
@guard(Level.PUBLIC, Unit.NONE)
def show_refused(application_id: str) -> ResponseReturnValue:  # noqa: ARG001 - the place has it
    """Tell a person that the application, or a part of it, is not for their account."""
    at = place()
    if not is_navigation(request.environ):
        is_foreign = is_from_elsewhere(request.environ, at.application.origins)
        raise CrossSiteRequest if is_foreign else NotAllowed
    visitor, application = find_visitor(), at.application
    lets_in = visitor is not None and with_transaction(
        lambda session: is_let_in(
            session, user_id=visitor.user_id, allowed_groups=application.allowed_groups
        ),
        writes=False,
    )
    page = render_template(
        "not_allowed.html", name=application.name, lets_in=lets_in, person=visitor
    )
    return page, status_of(NotAllowed)


@blueprint.get(f"{AT_APPLICATION}/static/<file>")
@guard(Level.PUBLIC, Unit.NONE)
def send_file(application_id: str, file: str) -> Response:  # noqa: ARG001 - anybody's
    """Send what the pages on an application's host look like."""
    if file not in _FILES:
        raise NotFound
    return current_app.send_static_file(file)


def _arrive(application_id: str) -> Arrival:
    codes = request.args.getlist("code")
    if len(codes) != 1 or _CODE.fullmatch(codes[0]) is None:
        raise HandoverUnusable(reason="not a code that we made")
    token = current.handover_token()
    return with_transaction(
        lambda session: redeem_code(
            session,
            code=codes[0],
            application_id=application_id,
            origin=place().origin,
            browser_hash=None if token is None else hash_secret(token),
            device=current.device(),
            replaces=current.session_token(),
        )
    )
