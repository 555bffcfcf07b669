"""On whose host a request is: that of an application, as the registry has it.

`/.identity/…` on an application's host is led here as `/.identity/<application>/…` by its proxy.
What `Host` says is compared with the registered origins and never used to build anything.
"""

from dataclasses import dataclass

from flask import g, request

from app.blueprints import current
from app.blueprints.same_origin import require_proof
from app.config.origin import hosts_of
from app.errors import MisdirectedRequest
from app.services.applications import (
    RegisteredApplication,
    describe_application,
    find_application,
)
from app.services.child_sessions import find_child
from app.services.session_lookup import SessionRow
from app.transaction import with_transaction


@dataclass(frozen=True, kw_only=True)
class Place:
    """The application that a request is at, and by which of its origins."""

    application: RegisteredApplication
    origin: str


def require_place() -> None:
    """Let a request through that is at the application of its path, and came from its pages.

    Raises ``MisdirectedRequest`` and ``CrossSiteRequest``.
    """
    if not current.is_at_application():
        return
    host = request.environ.get("HTTP_HOST", "").lower()
    if host in current.settings().hosts:
        raise _misdirected("an application's path at our own host")
    if request.endpoint == "handover.send_file":
        return
    g.place = place = _find_place(str((request.view_args or {})["application_id"]), host)
    require_proof(place.origin)


def place() -> Place:
    """Give the application that the request is at."""
    found: Place = g.place
    return found


def find_visitor() -> SessionRow | None:
    """Give the application's session of this request, if somebody is signed in."""
    token = current.session_token()
    if token is None:
        return None
    application_id = place().application.id
    found = with_transaction(
        lambda session: find_child(session, token=token, application_id=application_id),
        writes=False,
    )
    if found is not None:
        current.name_in_log(user_id=found.user_id, session_id=found.id)
    return found


def _find_place(application_id: str, host: str) -> Place:
    application = with_transaction(
        lambda session: (
            describe_application(found)
            if (found := find_application(session, application_id))
            else None
        ),
        writes=False,
    )
    origins = application.origins if application else ()
    origin = next((one for one in origins if host in hosts_of(one)), None)
    if application is None or origin is None:
        raise _misdirected("unknown application, or not at this host")
    return Place(application=application, origin=origin)


def _misdirected(reason: str) -> MisdirectedRequest:
    own = current.settings().public_origin
    sentence = f"No application of this service is at this address. The service is at {own}/."
    return MisdirectedRequest(sentence, reason=reason)
