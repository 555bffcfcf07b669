"""``flask gate``: the session gate as a process of its own."""

import errno
import importlib
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from app.boot import require_fitting_gate_database
from app.cli.unit import service_settings
from app.config import ServiceSettings, Settings
from app.errors import SettingsError

_READ_TIMEOUT_MILLISECONDS = 20_000
_STOP_SECONDS = 5
"""When a worker that does not stop is killed: a check takes less (docs/session-gate.md)."""


@click.command("gate")
@with_appcontext
def gate_command() -> None:
    """Serve the session gate alone, for a proxy that asks thousands of times a second.

    It answers GET /api/auth/verify and GET /api/auth/session on GATE_BIND and GATE_PORT, with
    GATE_WORKERS processes, and nothing else. A sign-in page under load cannot slow it. On
    PostgreSQL it needs a role that may read five tables and touch last-seen:
    docs/session-gate.md has the grants, and says when this process is worth having.
    """
    loaded: Settings = current_app.extensions["openbadges"]
    settings = service_settings()
    try:
        require_fitting_gate_database(loaded)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    _require_free_address(settings)
    os.register_at_fork(after_in_child=_heed_stops)
    click.echo(f"The session gate listens on {_where(settings)}.", err=True)
    # Another server than the service's own, which a start of that one need not load.
    from granian import Granian  # noqa: PLC0415
    from granian.constants import HTTPModes, Interfaces  # noqa: PLC0415
    from granian.http import HTTP1Settings  # noqa: PLC0415
    from granian.log import LogLevels  # noqa: PLC0415

    # It takes addresses alone.
    address = "127.0.0.1" if settings.gate_bind == "localhost" else settings.gate_bind
    is_socket = address.startswith("unix:")
    Granian(
        "wsgi:gate",
        address="127.0.0.1" if is_socket else address.strip("[]"),
        port=settings.gate_port,
        uds=Path(address.removeprefix("unix:")) if is_socket else None,
        uds_permissions=0o660 if is_socket else None,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=settings.gate_workers,
        blocking_threads=_threads(loaded),
        http1_settings=HTTP1Settings(header_read_timeout=_READ_TIMEOUT_MILLISECONDS),
        respawn_failed_workers=True,
        workers_kill_timeout=_STOP_SECONDS,
        log_level=LogLevels.warning,
    ).serve(target_loader=_load_gate)


def _require_free_address(settings: ServiceSettings) -> None:
    # granian would share a port with another gate, of an older release perhaps, and would not
    # start beside the socket file of one that was killed.
    try:
        if settings.gate_bind.startswith("unix:"):
            _remove_stale_socket(Path(settings.gate_bind.removeprefix("unix:")))
        else:
            host = settings.gate_bind.strip("[]")
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            socket.create_server((host, settings.gate_port), family=family).close()
    except OSError as error:
        cause = os.strerror(error.errno) if error.errno else str(error)
        message = f"The session gate cannot listen on {_where(settings)}: {cause}."
        raise click.ClickException(message) from error


def _remove_stale_socket(file: Path) -> None:
    if not file.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(file))
        except ConnectionRefusedError:
            file.unlink()
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _heed_stops() -> None:
    # Until it serves, a worker has its parent's handlers, which would swallow a stop; the parent
    # would then wait for it for ever.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def _load_gate(target: str) -> Callable[..., Any]:
    """Load what a worker serves, and let it go when the process that began it is killed.

    It would serve on else, beside the one that takes the other's place.
    """
    threading.Thread(target=_leave_with_the_parent, daemon=True).start()
    module, _, name = target.partition(":")
    gate: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return gate


def _leave_with_the_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_STOP_SECONDS)
        os._exit(1)


def _threads(settings: Settings) -> int:
    # A lookup in a file waits for nobody, and threads that pass the interpreter's lock to and fro
    # in the middle of each cost several times what it does; one over a wire leaves it to others.
    return 1 if settings.database.kind == "sqlite" else settings.service.threads


def _where(settings: ServiceSettings) -> str:
    if settings.gate_bind.startswith("unix:"):
        return settings.gate_bind
    return f"{settings.gate_bind}:{settings.gate_port}"
