"""On the identity host: a code for whoever is signed in and on the way to an application."""

from base64 import urlsafe_b64decode

from flask import Response, request, url_for
from werkzeug.exceptions import MethodNotAllowed

from app.blueprints import current
from app.blueprints.guards import Level, Unit, operation
from app.blueprints.handover.navigations import require_navigation, see
from app.blueprints.handover.routes import blueprint
from app.blueprints.handover.schemas import HandoverQuery
from app.blueprints.return_paths import application_path, handover_path, in_query
from app.errors import NotAllowed, NotFound, NotSignedIn
from app.services.applications import get_application
from app.services.handovers import Destination, make_code
from app.transaction import with_transaction


@blueprint.get("/api/auth/handover")
@operation(
    Level.PUBLIC, Unit.NONE, status=303, query=HandoverQuery, refusals=(NotAllowed, NotFound)
)
def hand_over(query: HandoverQuery) -> Response:
    """Send a person on to an application with a one-time code, or to sign in first."""
    if request.method != "GET":
        raise MethodNotAllowed(["GET"])
    require_navigation()
    target = application_path(query.return_to)
    _require_origin(query)
    here = handover_path(
        app=query.app, origin=query.origin, browser=query.browser, return_to=target
    )
    active = current.find_session()
    if active is None or active.purpose != "full":
        return see(f"{url_for('pages.show_sign_in')}?{in_query(return_to=here)}")
    destination = Destination(
        application_id=query.app,
        origin=query.origin,
        browser_hash=urlsafe_b64decode(f"{query.browser}="),
        return_to=target,
    )
    try:
        code = with_transaction(
            lambda session: make_code(session, root_id=active.id, destination=destination)
        )
    except NotSignedIn:
        return see(f"{url_for('pages.show_sign_in')}?{in_query(return_to=here)}")
    except NotAllowed:
        way = in_query(app=query.app, return_to=here)
        return see(f"{url_for('pages.show_not_allowed')}?{way}")
    return see(f"{query.origin}/.identity/callback?code={code}")


def _require_origin(query: HandoverQuery) -> None:
    origins = with_transaction(
        lambda session: get_application(session, query.app).origins, writes=False
    )
    if query.origin not in origins or query.origin == current.settings().public_origin:
        raise NotFound(reason="the application is not at that origin")
