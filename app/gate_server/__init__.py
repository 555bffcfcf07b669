"""The gate's own server: an event loop a process, under gunicorn's arbiter.

A server that hands each request from an event loop to a thread spends more on that than a check
costs. Here the loop asks by itself where an answer is at hand at once, which a lookup in a file is.
"""

from collections.abc import Callable, Mapping
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from app.arbiter import SHARED_MEMORY, ProjectLogger, heed_stops
from app.gate_server.open_connections import Gate
from app.gate_server.worker import GateWorker

__all__ = ["serve"]

_STOP_SECONDS = 5
"""When a worker that does not stop is killed: a check takes less (docs/session-gate.md)."""
_SOCKET_UMASK = 0o117
"""A socket file is for the service's own user and group: nginx joins the group."""


def serve(
    load: Callable[[], Gate],
    *,
    bind: str,
    workers: int,
    threads: int,
    announce: Callable[[], None] = lambda: None,
) -> None:
    """Serve what ``load`` gives until the process is told to stop; it is loaded once and shared.

    ``announce`` is called when it listens. ``threads`` is how many checks a process may ask at
    once where each waits for a wire; 0 where none does.
    """
    options = {
        "bind": bind,
        "workers": workers,
        "threads": threads,
        "worker_class": GateWorker,
        "preload_app": True,
        "graceful_timeout": _STOP_SECONDS,
        "umask": _SOCKET_UMASK,
        "post_fork": heed_stops,
        "when_ready": lambda _arbiter: announce(),
        "logger_class": ProjectLogger,
        "loglevel": "warning",
        "worker_tmp_dir": SHARED_MEMORY,
        "control_socket_disable": True,
    }
    _GateApplication(load, options).run()


class _GateApplication(BaseApplication):  # type: ignore[misc]
    """What gunicorn runs, without a file or a command line of its own."""

    def __init__(self, load: Callable[[], Gate], options: Mapping[str, Any]) -> None:
        self._load = load
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Gate:
        return self._load()
