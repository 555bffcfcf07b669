"""On the host of an application: signing out, of it or of everything.

Forms without a script, so that they work on a host whose pages are not ours.
"""

from flask import Response, render_template

from app.blueprints import bodies, cookies, current
from app.blueprints.guards import Level, Unit, guard
from app.blueprints.handover.hosts import find_visitor, place
from app.blueprints.handover.routes import AT_APPLICATION, blueprint
from app.blueprints.schemas import Nothing
from app.extensions import db
from app.services.child_sessions import end_child, end_root


@blueprint.get(f"{AT_APPLICATION}/sign-out")
@guard(Level.PUBLIC, Unit.NONE)
def show_sign_out(application_id: str) -> str:  # noqa: ARG001 - the place has it
    """Ask what to sign out of: a link from elsewhere must not sign anybody out."""
    return render_template("sign_out.html", application=place().application, visitor=find_visitor())


@blueprint.post(f"{AT_APPLICATION}/sign-out")
@guard(Level.PUBLIC, Unit.WRITES)
def sign_out_here(application_id: str) -> Response:
    """Sign out of this application; nobody is as well."""
    bodies.read_body(Nothing)
    token = current.session_token()
    ended = token and end_child(db.session(), token=token, application_id=application_id)
    if ended:
        current.name_in_log(user_id=ended.user_id, session_id=ended.id)
    return _signed_out(everywhere=False)


@blueprint.post(f"{AT_APPLICATION}/sign-out/everywhere")
@guard(Level.PUBLIC, Unit.WRITES)
def sign_out_everywhere(application_id: str) -> Response:
    """Sign this browser out of the service, and so of all its applications."""
    bodies.read_body(Nothing)
    token = current.session_token()
    ended = token and end_root(db.session(), token=token, application_id=application_id)
    if ended:
        current.name_in_log(user_id=ended.user_id, session_id=ended.id)
    return _signed_out(everywhere=bool(ended))


def _signed_out(*, everywhere: bool) -> Response:
    page = render_template(
        "signed_out.html", application=place().application, everywhere=everywhere
    )
    response = Response(page)
    cookies.clear_session_cookie(response, current.settings())
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response
