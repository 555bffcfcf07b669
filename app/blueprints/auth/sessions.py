"""My sessions: which there are, and an end to them."""

from flask import Response, request

from app.blueprints import current
from app.blueprints.auth.routes import blueprint
from app.blueprints.auth.schemas import EndedSessions, ListedSession, SessionList, VerifyQuery
from app.blueprints.guards import Level, Reply, Unit, operation
from app.blueprints.schemas import PageQuery, SignedInAnswer, cursor
from app.errors import CrossSiteRequest, MalformedRequest, NotAllowed, NotFound, NotSignedIn
from app.extensions import db
from app.services import session_ends, sessions


@blueprint.get("/session")
@operation(Level.SIGNED_IN, Unit.NONE, answer=SignedInAnswer)
def get_session() -> SignedInAnswer:
    """Tell who is signed in."""
    return SignedInAnswer.of(current.active_session())


# Some proxies ask with the method of the request that they ask about: OPTIONS must not be granted.
@blueprint.get("/verify", provide_automatic_options=False)
@operation(
    Level.PUBLIC,
    Unit.NONE,
    query=VerifyQuery,
    status=204,
    refusals=(NotSignedIn, NotAllowed, CrossSiteRequest, MalformedRequest),
)
def verify(query: VerifyQuery) -> Response:  # noqa: ARG001 - the gate reads it by itself
    """Tell a proxy by headers whose a request is; see docs/proxies.md."""
    answer = current.session_gate().verify(request.environ)
    if answer is None:
        raise MalformedRequest(reason="a query that the gate does not read")
    status, headers, body = answer
    response = Response(body, status, headers)
    if not body:
        del response.headers["Content-Type"]
    return response


@blueprint.delete("/session")
@operation(Level.PUBLIC, Unit.WRITES, status=204)
def sign_out() -> Reply:
    """Sign out in this browser; signing out twice is no fault."""
    token = current.session_token()
    ended = token and session_ends.end_session_by_token(db.session(), token=token)
    if ended:
        current.name_in_log(user_id=ended.user_id, session_id=ended.id)
    return Reply(signs_out=True)


@blueprint.get("/sessions")
@operation(Level.SIGNED_IN, query=PageQuery, answer=SessionList)
def list_sessions(query: PageQuery) -> SessionList:
    """List my sessions, oldest first."""
    active = current.active_session()
    rows = sessions.list_sessions(
        db.session(), user_id=active.person.id, after=query.after, limit=query.limit + 1
    )
    items, next_cursor = cursor(list(rows), query.limit)
    told = [ListedSession.of(row, current_id=active.id) for row in items]
    return SessionList(items=told, next=next_cursor)


@blueprint.delete("/sessions")
@operation(Level.STEP_UP, Unit.WRITES, answer=EndedSessions)
def end_other_sessions() -> EndedSessions:
    """End all my sessions but this one."""
    active = current.active_session()
    ended = session_ends.end_other_sessions(db.session(), user_id=active.person.id, keep=active.id)
    return EndedSessions(ended=ended)


@blueprint.delete("/sessions/<id:id>")
@operation(Level.STEP_UP, Unit.WRITES, status=204, refusals=(NotFound,))
def end_session(id: str) -> Reply:  # noqa: A002 - the path's name for it
    """End one of my sessions."""
    active = current.active_session()
    session_ends.end_session(db.session(), user_id=active.person.id, session_id=id)
    return Reply(signs_out=id == active.id)
