"""How gunicorn serves `wsgi:app`: everything follows from the settings (docs/configuration.md)."""

import errno
import socket
import struct
import sys

from gunicorn.http import message, wsgi  # type: ignore[import-untyped]
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from gunicorn.workers.base import Worker  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from app.arbiter import SHARED_MEMORY, ProjectLogger, heed_stops
from app.config import load_settings
from app.errors import SettingsError
from app.logs import configure_logging
from app.places import QUEUE

try:
    _settings = load_settings()
    _service = _settings.service
except SettingsError as problem:
    sys.exit(str(problem))

bind = _service.bind if _service.bind.startswith("unix:") else f"{_service.bind}:{_service.port}"
# A socket file is for the service's own user and group: nginx joins the group.
umask = 0o007
workers = _service.workers
# Those at the database, those that wait for it, and one that does neither: it answers what needs
# no database, come what may.
threads = _service.threads + QUEUE + 1
# Loaded once and shared by the workers: less memory, and a broken boot ends before they start.
preload_app = True

# Longer than the 60 s after which nginx drops an idle upstream connection, so that nginx never
# writes into one that is just being closed.
keepalive = 75
# A worker that gave no sign of life for so long is replaced; threads may be busy longer.
timeout = 30
# Below the 30 s after which Heroku-like hosts and Kubernetes kill.
graceful_timeout = 25

# The longest URL we answer to is a provider's callback with its code, about 2 KB; the largest
# header is a cookie. Over these limits a request is refused before the application sees it.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190
http_parser = "python"

# No header decides scheme, path or address here: absolute URLs come from PUBLIC_ORIGIN, and the
# application counts the hops of X-Forwarded-For by TRUSTED_PROXIES.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

worker_tmp_dir = SHARED_MEMORY
# gunicorn 27 opens a socket in the home directory that can stop the server.
control_socket_disable = True


configure_logging(_settings.log)
logger_class = ProjectLogger
# At DEBUG gunicorn quotes what it is sent: paths, and a request that breaks off with its cookies.
loglevel = _settings.log.level.lower().replace("debug", "info")


# Whoever says nothing for so long, in the middle of a request, gives the thread back.
_STALL_SECONDS = 20


# Where gunicorn's errors keep what was sent: whatever somebody pasted there.
_QUOTED = ("req", "hdr", "method", "version", "expect", "data", "term")


class _UnheldWorker(ThreadWorker):  # type: ignore[misc]
    """Threads whose stop waits for no connection that was opened in advance and never asked.

    Browsers hold such connections; gunicorn 27 caps those kept alive when it stops, not these.
    """

    def handle_error(self, req: object, client: object, addr: object, exc: Exception) -> None:
        """Say what is wrong with a request, to the log and to the client, without quoting it."""
        for name in _QUOTED:
            if isinstance(getattr(exc, name, None), str | bytes):
                setattr(exc, name, "...")
        if hasattr(req, "uri"):
            req.uri = "..."
        super().handle_error(req, client, addr, exc)

    def _cap_keepalive(self, deadline: float) -> None:
        super()._cap_keepalive(deadline)
        for connection in self.pending_conns:
            connection.timeout = min(connection.timeout, deadline)


worker_class = _UnheldWorker


post_fork = heed_stops


def post_worker_init(worker: Worker) -> None:
    """Give every connection a time-out: Linux hands a listener's on to what it accepts."""
    for listener in worker.sockets:
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            listener.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", _STALL_SECONDS, 0))


class _Body(message.Body):  # type: ignore[misc]
    """A body whose faults are its sender's: to the application it breaks off, which gets 400."""

    def _read_reader(self, size: int) -> bytes:
        try:
            read: bytes = super()._read_reader(size)
        except ParseException:
            # No cause, since gunicorn's error quotes the body.
            raise OSError(errno.ECONNRESET, "the body cannot be read") from None
        return read


message.Body = _Body


class _NamelessResponse(wsgi.Response):  # type: ignore[misc]
    """An answer without the `Server` header: gunicorn has no setting for it."""

    def default_headers(self) -> list[str]:
        return [line for line in super().default_headers() if not line.startswith("Server:")]


wsgi.Response = _NamelessResponse
