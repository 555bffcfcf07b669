"""A process of the gate's server, for gunicorn's arbiter (docs.gunicorn.org, `worker_class`)."""

import asyncio
import os
import signal
from concurrent.futures import ThreadPoolExecutor

from gunicorn.workers.base import Worker  # type: ignore[import-untyped]

from app.arbiter import STOPS
from app.gate_server.connection import GateConnection
from app.gate_server.open_connections import OpenConnections

_ACCEPTED_AT_ONCE = 32
"""So that of a crowd one worker takes no more than another."""


class GateWorker(Worker):  # type: ignore[misc]
    """An event loop that answers until it is told to stop, or its parent is gone."""

    def init_signals(self) -> None:
        """Leave the signals to the event loop; a stop that comes before it ends the process."""
        for number in self.SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        # An arbiter's signal to reopen logs, of which there are none, and a terminal's to redraw.
        for number in (signal.SIGUSR1, signal.SIGWINCH):
            signal.signal(number, signal.SIG_IGN)

    def run(self) -> None:
        """Serve."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        for number in STOPS:
            loop.add_signal_handler(number, stop.set)
        if self.cfg.threads:
            loop.set_default_executor(ThreadPoolExecutor(self.cfg.threads))
        connections = OpenConnections(self.wsgi, asks_in_threads=self.cfg.threads > 0)
        connections.tick(loop.time())
        servers = []
        for listener in self.sockets:
            servers.append(
                await loop.create_server(
                    lambda: GateConnection(connections),
                    sock=listener.sock,
                    backlog=_ACCEPTED_AT_ONCE,
                )
            )
            # asyncio takes one number for both.
            listener.sock.listen(self.cfg.backlog)
        while not stop.is_set() and self.ppid == os.getppid():
            self._live(connections)
            await _wait(stop, 1)
        for server in servers:
            server.close()
        connections.stop()
        # The arbiter, which kills then, has begun to count a little earlier.
        give_up_at = loop.time() + self.cfg.graceful_timeout - 1
        while connections.open and loop.time() < give_up_at:
            self._live(connections)
            await asyncio.sleep(0.05)

    def _live(self, connections: OpenConnections) -> None:
        self.notify()
        connections.tick(asyncio.get_running_loop().time())


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
