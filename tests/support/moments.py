"""The moments of a process at which it waits for somebody else, counted, and the last of them."""

import os
import signal
from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine.interfaces import Dialect

from tests.support.outside_accounts import QuietProvider
from tests.support.units import engine_of

_CALLS = ("authorization_url", "redeem", "revoke")


def die_at(app: Flask, number: int, *, provider: QuietProvider) -> None:
    """Kill this process before or after a round trip, counted from one.

    Round trips to the database count, and calls to the provider.
    """
    moments = iter(range(1, number))

    def count(*_: object) -> None:
        if next(moments, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    engine = engine_of(app)
    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "after_cursor_execute", count)
    _count_around_commits(engine.dialect, count)
    for call in _CALLS:
        _count_around_calls(provider, call, count)


def _count_around_commits(dialect: Dialect, count: Callable[[], None]) -> None:
    commit = dialect.do_commit

    def do_commit(connection: Any) -> None:  # noqa: ANN401 - as SQLAlchemy's
        count()
        commit(connection)
        count()

    dialect.do_commit = do_commit  # type: ignore[assignment,method-assign]


def _count_around_calls(provider: QuietProvider, name: str, count: Callable[[], None]) -> None:
    call = getattr(provider, name)

    def counted(**asked: Any) -> object:  # noqa: ANN401 - whatever the call takes
        count()
        answer: object = call(**asked)
        count()
        return answer

    setattr(provider, name, counted)
