"""The registry of the applications that trust us.

Operators write it seldom, and every check and hand-over reads it, so a change binds at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from app.config.origin import host_of
from app.errors import ApplicationTaken, InvalidApplication, NotFound
from app.models import Application, HandoverCode, UserSession
from app.services.application_details import ID, ApplicationDetails, parse_application_id

_ENDED_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True)
class RegisteredApplication:
    """An application as it is told of outside a unit of work."""

    id: str
    name: str
    origins: tuple[str, ...]
    allowed_groups: tuple[str, ...]
    """One of them is enough; where there are none, everybody who is signed in may."""
    header_map: Mapping[str, str]
    """By field, the headers that are not called as usual."""
    created_at: datetime


def describe_application(application: Application) -> RegisteredApplication:
    """Tell of an application."""
    return RegisteredApplication(
        id=application.id,
        name=application.name,
        origins=tuple(application.origins),
        allowed_groups=tuple(application.allowed_groups),
        header_map=dict(application.header_map),
        created_at=application.created_at,
    )


def find_application(session: Session, application_id: str) -> Application | None:
    """Find an application by its id, which may be any text; None where there is none."""
    # What is no id is not asked for: it may hold what no database takes.
    return session.get(Application, application_id) if ID.fullmatch(application_id) else None


def get_application(session: Session, application_id: str) -> Application:
    """Find an application by its id. Raises ``NotFound``."""
    application = find_application(session, application_id)
    if application is None:
        raise NotFound
    return application


def get_named_application(session: Session, application_id: str) -> Application:
    """Find the application that an operator names. Raises ``NotFound``, in words for them."""
    application = find_application(session, application_id)
    if application is None:
        raise NotFound(
            f"There is no application {application_id!r}: `flask apps list` prints those there are."
        )
    return application


def list_applications(session: Session) -> Sequence[Application]:
    """List all applications in the order of their ids."""
    return session.scalars(select(Application).order_by(Application.id)).all()


def add_application(
    session: Session, *, application_id: str, details: ApplicationDetails, public_origin: str
) -> RegisteredApplication:
    """Register an application; the details need a name and origins.

    Raises ``InvalidApplication`` and ``ApplicationTaken``.
    """
    parse_application_id(application_id)
    if details.name is None or details.origins is None:
        raise InvalidApplication("An application has a name and an origin.")
    _take_turns(session)
    if find_application(session, application_id) is not None:
        raise ApplicationTaken(
            f"There is an application {application_id} already: `flask apps change "
            f"{application_id}` changes it."
        )
    _require_free_hosts(session, application_id, details.origins, public_origin)
    application = Application(
        id=application_id,
        name=details.name,
        origins=details.origins,
        allowed_groups=details.allowed_groups or [],
        header_map=details.header_map or {},
    )
    session.add(application)
    session.flush()
    return describe_application(application)


def change_application(
    session: Session, *, application_id: str, details: ApplicationDetails, public_origin: str
) -> tuple[RegisteredApplication, int]:
    """Replace what the details speak of, and say how many sessions ended.

    Where an origin is given up, the application's sessions and the hand-overs under way end:
    whoever has that host next must find no use in the cookies that browsers still send there.

    Raises ``NotFound`` and ``ApplicationTaken``.
    """
    _take_turns(session)
    gives_up = gives_origins_up(
        session, application_id=application_id, details=details, public_origin=public_origin
    )
    application = get_named_application(session, application_id)
    for name in ("name", "origins", "allowed_groups", "header_map"):
        if (value := getattr(details, name)) is not None:
            setattr(application, name, value)
    session.flush()
    ended = _end_sessions(session, application_id) if gives_up else 0
    return describe_application(application), ended


def gives_origins_up(
    session: Session, *, application_id: str, details: ApplicationDetails, public_origin: str
) -> bool:
    """Tell whether a change that can be made takes an origin away. Raises as the change does."""
    application = get_named_application(session, application_id)
    if details.origins is None:
        return False
    _require_free_hosts(session, application_id, details.origins, public_origin)
    return not set(application.origins) <= set(details.origins)


def remove_application(session: Session, *, application_id: str) -> int:
    """Remove an application with its sessions, and say how many ended. Raises ``NotFound``."""
    _take_turns(session)
    application = get_named_application(session, application_id)
    # No code is made meanwhile: a new one refers to the row.
    session.refresh(application, with_for_update=True)
    ended = _end_sessions(session, application_id)
    session.delete(application)
    session.flush()
    return ended


def end_some_sessions(session: Session, *, application_id: str) -> tuple[int, bool]:
    """End some of an application's sessions; say how many, and whether there may be more.

    A million at once would outlast every time-out. Those that are in use at this moment are left
    to whoever ends the rest.
    """
    some = (
        select(UserSession.id)
        .where(UserSession.application_id == application_id)
        .order_by(UserSession.id)
        .limit(_ENDED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    ids = session.scalars(some).all()
    session.execute(
        delete(UserSession).where(UserSession.id.in_(ids)),
        execution_options={"synchronize_session": False},
    )
    return len(ids), len(ids) == _ENDED_AT_ONCE


def _end_sessions(session: Session, application_id: str) -> int:
    # Codes first: this waits for whoever is using one up, whose session is then seen and ended.
    session.execute(delete(HandoverCode).where(HandoverCode.application_id == application_id))
    ended = session.scalars(
        delete(UserSession)
        .where(UserSession.application_id == application_id)
        .returning(UserSession.id)
    )
    return len(ended.all())


def _take_turns(session: Session) -> None:
    # Two registrations at once must not both find a host free, and a list of origins has no
    # unique constraint. On SQLite a writing unit of work is alone already.
    if session.connection().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE applications IN SHARE ROW EXCLUSIVE MODE"))


def _require_free_hosts(
    session: Session, application_id: str, origins: Sequence[str], public_origin: str
) -> None:
    """Raise ``ApplicationTaken`` where another application is on one of the hosts.

    Applications under paths of the identity host share it, and its session.
    """
    hosts = {host_of(origin): origin for origin in origins if origin != public_origin}
    for other in list_applications(session):
        taken = hosts.keys() & {host_of(origin) for origin in other.origins}
        if taken and other.id != application_id:
            raise ApplicationTaken(
                f"The host of {hosts[min(taken)]} belongs to the application {other.id} already: "
                "browsers keep cookies by host, so one of the two could use the other's sessions."
            )
