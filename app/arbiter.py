"""What gunicorn's arbiter is told, whichever of the two servers it runs."""

import signal
from pathlib import Path

from gunicorn import glogging  # type: ignore[import-untyped]
from gunicorn.workers.base import Worker  # type: ignore[import-untyped]

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (the file that gunicorn makes there has no name)
SHARED_MEMORY = str(_SHARED_MEMORY) if _SHARED_MEMORY.is_dir() else None
"""For the heartbeat file, which must not wait for a disk (gunicorn's FAQ, "blocking os.fchmod")."""


class ProjectLogger(glogging.Logger):  # type: ignore[misc]
    """Sends gunicorn's own messages through the project's log. Requests are logged by the app."""

    def setup(self, cfg: object) -> None:
        """Leave the lines to the root's handler."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


def heed_stops(_arbiter: object, _worker: Worker) -> None:
    """Let a stop reach a worker that has just been forked.

    Until it sets up its own, it has its parent's handlers, which would swallow the signal; the
    parent would then wait for it as long as for a request.
    """
    for number in STOPS:
        signal.signal(number, signal.SIG_DFL)
