"""A process that lives through stories in children of its own, for tests that break them.

    python -m tests.support.stories '{"SQLITE_FILE": …}' FOLDER

Says a number once it is warm: it has lived through each story itself, so that its children do
nothing but the story. Each line on standard input then is a story to begin, as JSON. The child's
process id comes back where it is about to begin; an empty line lets it, and its exit status comes
back.
"""

import ctypes
import json
import os
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from flask import Flask

from tests.support.clients import Browser, InProcessBrowser
from tests.support.journal import Journal
from tests.support.lives import Life, RefusedError
from tests.support.moments import die_at
from tests.support.outside_accounts import QuietProvider, switched_on
from tests.support.outside_lives import OutsideLife, quiet_github
from tests.support.units import application_on, engine_of

Step = Callable[[], None]

STORIES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "arrival": ((), ("sign_up", "sign_in")),
    "change": (
        ("sign_up", "sign_in"),
        (
            *("enrol", "rename", "remove", "renew_codes", "step_up"),
            *("sign_in_again", "redeem", "enrol_recovered", "sign_out"),
        ),
    ),
}
"""What comes before, and what is to be broken, of a ``Life``."""
OUTSIDE_STORIES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "outside-arrival": (("squat",), ("arrive",)),
    "outside-change": (("arrive",), ("link", "step_up", "unlink", "sign_in_again")),
}
"""The same, of an ``OutsideLife``."""
_TRIES = 5
_PR_SET_PTRACER = 0x59616D61
_ANYBODY = ctypes.c_ulong(-1)


def main() -> None:
    """Begin story after story."""
    with application_on(json.loads(sys.argv[1])) as app, switched_on(app, quiet_github()):
        for story in (*STORIES, *OUTSIDE_STORIES):
            journal = Journal(file=Path(sys.argv[2]) / "journal-warm")
            _play(_begin(app, story, email=f"{story}@example.org", journal=journal))
        engine_of(app).dispose()
        _say(0)
        for line in sys.stdin:
            _tell(app, json.loads(line))


def _tell(app: Flask, told: dict[str, Any]) -> None:
    here, there = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        _exit_after(lambda: _live(app, told, there))
    there.close()
    here.recv(1)
    _say(pid)
    sys.stdin.readline()
    here.send(b"!")
    here.close()
    _, status = os.waitpid(pid, 0)
    _say(os.waitstatus_to_exitcode(status))


def _live(app: Flask, told: dict[str, Any], cue: socket.socket) -> None:
    journal = Journal(file=Path(told["journal"]))
    steps = _begin(
        app, told["story"], email=told["email"], journal=journal, invitation=told["invitation"]
    )
    _allow_tracing()
    cue.send(b"!")
    cue.recv(1)
    if told["round_trip"]:
        die_at(app, told["round_trip"], provider=_provider_of(app))
    _play(steps)
    # The last connection to a SQLite file writes into it what the write-ahead log holds.
    engine_of(app).dispose()


def _begin(
    app: Flask, story: str, *, email: str, journal: Journal, invitation: str | None = None
) -> list[Step]:
    life: Life | OutsideLife
    if story in OUTSIDE_STORIES:
        life = OutsideLife(
            email=email, new_browser=_opening(app), journal=journal, provider=_provider_of(app)
        )
    else:
        life = Life(
            email=email,
            new_browser=_opening(app),
            journal=journal,
            chance=Random(1),  # noqa: S311 - chosen, not secret
            invitation=invitation,
        )
    before, steps = (STORIES | OUTSIDE_STORIES)[story]
    for step in before:
        getattr(life, step)()
    return [getattr(life, step) for step in steps]


def _opening(app: Flask) -> Callable[[], Browser]:
    return lambda: InProcessBrowser(app, app.response_class)


def _provider_of(app: Flask) -> QuietProvider:
    provider: QuietProvider = app.extensions["identity_providers"]["github"]
    return provider


def _play(steps: list[Step]) -> None:
    for step in steps:
        _insist(step)


def _insist(step: Step) -> None:
    for _ in range(_TRIES - 1):
        try:
            return step()
        except RefusedError:
            continue
    return step()


def _allow_tracing() -> None:
    # Where the kernel lets a process be traced by its parents alone.
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANYBODY, 0, 0, 0)


def _exit_after(story: Callable[[], None]) -> None:
    try:
        story()
    except BaseException:  # noqa: BLE001 - this is a fork: nothing may return from it
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
