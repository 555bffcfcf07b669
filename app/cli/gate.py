"""``flask gate``: the session gate as a process of its own."""

import errno
import importlib
import os
import socket
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

_PROBE_SECONDS = 1


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
    # What serves, which no other command needs to load.
    from app.gate_server import serve  # noqa: PLC0415

    serve(
        _load_gate,
        bind=_where(settings),
        workers=settings.gate_workers,
        # A lookup in a file waits for nobody; one over a wire leaves its time to others.
        threads=0 if loaded.database.kind == "sqlite" else settings.threads,
        announce=lambda: click.echo(f"The session gate listens on {_where(settings)}.", err=True),
    )


def _load_gate() -> Callable[..., Any]:
    gate: Callable[..., Any] = importlib.import_module("wsgi").gate
    return gate


def _require_free_address(settings: ServiceSettings) -> None:
    # gunicorn would try for seconds, and would take the place of whoever serves a socket file.
    try:
        if settings.gate_bind.startswith("unix:"):
            _remove_stale_socket(Path(settings.gate_bind.removeprefix("unix:")))
        else:
            host = settings.gate_bind.strip("[]")
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            address = host, settings.gate_port
            socket.create_server(address, family=family, dualstack_ipv6=host == "::").close()
    except OSError as error:
        cause = os.strerror(error.errno) if error.errno else str(error)
        message = f"The session gate cannot listen on {_where(settings)}: {cause}."
        raise click.ClickException(message) from error


def _remove_stale_socket(file: Path) -> None:
    if not file.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_PROBE_SECONDS)
        try:
            probe.connect(str(file))
        except ConnectionRefusedError:
            file.unlink()
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _where(settings: ServiceSettings) -> str:
    if settings.gate_bind.startswith("unix:"):
        return settings.gate_bind
    return f"{settings.gate_bind}:{settings.gate_port}"
