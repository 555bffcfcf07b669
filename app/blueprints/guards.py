"""Who may call a route, and how its unit of work begins: said once, where the route is made.

An operation of the API also says what it takes and answers, so that one declaration checks the
request, shapes the answer and writes the OpenAPI document.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import wraps
from typing import Any, TypeVar

import structlog
from flask import Response, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel

from app import clock
from app.blueprints import bodies, cookies, current
from app.blueprints.schemas import FinishedCeremony, Nothing
from app.blueprints.step_up import require_step_up
from app.errors import DatabaseUnavailable, EnrolmentOnly, ServiceError
from app.extensions import db
from app.models import Purpose
from app.services.challenges import ConsumedChallenge, consume_challenge
from app.services.sessions import (
    ActiveSession,
    hold_session,
    is_due_for_touch,
    touch_sessions,
)
from app.transaction import with_transaction

View = TypeVar("View", bound=Callable[..., Any])

_log = structlog.get_logger(__name__)


class Level(StrEnum):
    """Who may call a route."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    STEP_UP = "step_up"
    """Signed in, and authenticated in the last few minutes."""
    ENROLMENT = "enrolment"
    """As step-up, or by a session that a recovery code opened."""


class Unit(Enum):
    """What the route's unit of work does with the database."""

    NONE = "none"
    READS = "reads"
    WRITES = "writes"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What an operation of the API declares about itself."""

    status: int
    answer: type[BaseModel] | None
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    refusals: tuple[type[ServiceError], ...]
    consumes: Purpose | None


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer that also changes the browser's session cookie."""

    body: BaseModel | None = None
    opened: ActiveSession | None = None
    """The session that the answer's cookie is for, with its token."""
    token: str | None = None
    signs_out: bool = False
    afterwards: Callable[[], None] | None = None
    """What is done once the unit of work is committed, such as a call to somebody else."""


def guard(level: Level, unit: Unit = Unit.READS) -> Callable[[View], View]:
    """Let only those of a level call a view, inside a unit of work."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(**arguments: Any) -> Any:  # noqa: ANN401 - a view's values are its own
            authorise(level)
            return _in_unit(level, unit, lambda: view(**arguments))

        guarded.level = level  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def operation(
    level: Level,
    unit: Unit = Unit.READS,
    *,
    answer: type[BaseModel] | None = None,
    status: int = 200,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    consumes: Purpose | None = None,
    refusals: tuple[type[ServiceError], ...] = (),
) -> Callable[[Callable[..., Any]], Callable[..., ResponseReturnValue]]:
    """Declare an operation of the API: guard, schemas, challenge, unit of work, answer.

    The view is given ``body`` and ``query`` where schemas are named, and ``challenge`` where one
    is consumed; that happens in a unit of work of its own, before the view's.
    """
    declared = Operation(
        status=status, answer=answer, body=body, query=query, refusals=refusals, consumes=consumes
    )

    def decorate(view: Callable[..., Any]) -> Callable[..., ResponseReturnValue]:
        @wraps(view)
        def answered(**arguments: Any) -> ResponseReturnValue:  # noqa: ANN401
            authorise(level)
            arguments |= _read_arguments(declared, level)
            result = _in_unit(level, unit, lambda: view(**arguments))
            if isinstance(result, Reply) and result.afterwards is not None:
                result.afterwards()
            return _respond(result, status)

        answered.level = level  # type: ignore[attr-defined]
        answered.operation = declared  # type: ignore[attr-defined]
        return answered

    return decorate


def authorise(level: Level) -> None:
    """Raise the refusal that this request deserves at this level, or return."""
    if level is Level.PUBLIC:
        return
    active = current.active_session()
    if active.purpose == "enrol":
        if level is not Level.ENROLMENT:
            raise EnrolmentOnly
        return
    _touch(active)
    if level is not Level.SIGNED_IN:
        require_step_up(active, at=clock.now())


def _touch(active: ActiveSession) -> None:
    if not is_due_for_touch(active):
        return
    try:
        with_transaction(lambda session: touch_sessions(session, ids={active.id}), impatient=True)
    except DatabaseUnavailable:
        # Neither a full disk nor a long writer may hold up whoever only reads; the session's idle
        # end is put off by the next request instead.
        _log.warning("last_seen_not_written", session_id=active.id)


def _read_arguments(declared: Operation, level: Level) -> dict[str, object]:
    arguments: dict[str, object] = {}
    if declared.query is not None:
        arguments["query"] = bodies.read_query(declared.query)
    if declared.body is not None:
        arguments["body"] = body = bodies.read_body(declared.body)
        if declared.consumes is not None and isinstance(body, FinishedCeremony):
            arguments["challenge"] = _consume(declared.consumes, body, level)
    elif request.method not in {"GET", "HEAD"}:
        # A form that another site submits is a body, too.
        bodies.read_body(Nothing)
    return arguments


def _consume(purpose: Purpose, body: FinishedCeremony, level: Level) -> ConsumedChallenge:
    challenge = current.relying_party().challenge_of(body.credential)
    binding = current.binding(to_session=level is not Level.PUBLIC)
    return with_transaction(
        lambda session: consume_challenge(
            session, challenge=challenge, purpose=purpose, binding=binding
        )
    )


def _in_unit(level: Level, unit: Unit, view: Callable[[], Any]) -> Any:  # noqa: ANN401
    if unit is Unit.NONE:
        return view()
    if unit is Unit.READS or level is Level.PUBLIC:
        return with_transaction(lambda _session: view(), writes=unit is Unit.WRITES)
    held = current.active_session().id

    def change() -> Any:  # noqa: ANN401
        hold_session(db.session(), session_id=held)
        return view()

    return with_transaction(lambda _session: change())


def _respond(result: Any, status: int) -> ResponseReturnValue:  # noqa: ANN401
    if isinstance(result, Response):
        return result
    reply = result if isinstance(result, Reply) else Reply(body=result)
    response = Response(status=204 if reply.body is None else status)
    if reply.body is not None:
        response.set_data(reply.body.model_dump_json())
        response.mimetype = "application/json"
    if reply.opened is not None:
        sign_in_with(response, reply.opened, reply.token)
    if reply.signs_out:
        cookies.clear_session_cookie(response, current.settings())
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def sign_in_with(response: Response, opened: ActiveSession, token: str | None) -> None:
    """Set the session's cookie, where its token is a new one."""
    if token is None:
        return
    age = opened.expires_at - clock.now()
    cookies.set_session_cookie(
        response, current.settings(), token=token, max_age_seconds=int(age.total_seconds())
    )
    current.name_in_log(user_id=opened.person.id, session_id=opened.id)
