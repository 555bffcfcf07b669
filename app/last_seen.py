"""Writes in batches that sessions are in use, so that whoever asks about one never waits for it."""

import threading
import time

import structlog
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.database import IMPATIENT, WRITES
from app.services.sessions import touch_sessions

_log = structlog.get_logger(__name__)

GATHER_SECONDS = 1
_MOST_AT_ONCE = 500


class LastSeen:
    """A set of session ids, and a thread that empties it into the database once a second.

    A process that is killed forgets a second's worth of use: an idle end is put off that much
    less. What cannot be written (a full disk, a long writer) is forgotten as well; the session's
    next use notes it again.
    """

    def __init__(self, engine: Engine) -> None:
        """Take the engine. The thread begins with the first note, so that the process may fork."""
        self._engine = engine.execution_options(**{WRITES: True, IMPATIENT: True})
        self._noted: set[str] = set()
        self._has_notes = threading.Event()
        self._beginning = threading.Lock()
        self._thread: threading.Thread | None = None

    def note(self, session_id: str) -> None:
        """Note that a session is in use."""
        self._noted.add(session_id)
        self._has_notes.set()
        if self._thread is None or not self._thread.is_alive():
            self._begin()

    def write(self) -> None:
        """Write what is noted now."""
        noted, self._noted = self._noted, set()
        ids = sorted(noted)
        for start in range(0, len(ids), _MOST_AT_ONCE):
            batch = ids[start : start + _MOST_AT_ONCE]
            try:
                with Session(self._engine) as session, session.begin():
                    touch_sessions(session, ids=batch)
            except DBAPIError as error:
                _log.warning("last_seen_not_written", sessions=len(batch), error=str(error.orig))

    def _begin(self) -> None:
        with self._beginning:
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(target=self._run, name="last seen", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    # The next check tries again; this one must not fail for it.
                    _log.warning("last_seen_cannot_be_written", cause="no more threads")
                    return
                self._thread = thread

    def _run(self) -> None:
        while True:
            self._has_notes.wait()
            time.sleep(GATHER_SECONDS)
            self._has_notes.clear()
            self.write()
