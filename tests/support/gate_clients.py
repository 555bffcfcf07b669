"""The gate's own server with something that tells back what it is asked, and its clients."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from app.gate_server.connection import GateConnection
from app.gate_server.open_connections import Environ, OpenConnections

ASK = b"GET /who HTTP/1.1\r\nHost: id.example.org\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: id.example.org\r\nConnection: close\r\n\r\n"
SECONDS = 10
"""That a scene may take."""
SLOW: list[Environ] = []
"""What was asked slowly."""


def tell_back(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
    """Stand in for the gate."""
    match environ["PATH_INFO"]:
        case "/broken":
            raise RuntimeError
        case "/split":
            start_response("204 No Content", [("X-Auth-Name", "Ada\r\nX-Auth-Role: admin")])
            return ()
        case "/slow":
            SLOW.append(environ)
            time.sleep(0.1)
            body = json.dumps(environ).encode()
        case "/large":
            body = bytes(1_000_000)
        case _:
            body = json.dumps(environ).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return (body,)


class Client:
    """A connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self) -> tuple[int, Environ]:
        """Give the next answer's status, and what was told back."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        body = await self.reader.readexactly(int(headers.get("Content-Length", "0")))
        return int(lines[0].split()[1]), json.loads(body) if body else {}

    async def ask(self, request: bytes) -> tuple[int, Environ]:
        self.writer.write(request)
        return await self.answer()

    async def is_closed(self) -> bool:
        """Tell whether the server has nothing more to say."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionResetError:
            return True


Connect = Callable[[], Awaitable[Client]]
Scene = Callable[[OpenConnections, Connect], Awaitable[None]]
Play = Callable[[Scene], None]


def played(scene: Scene, *, asks_in_threads: bool) -> None:
    """Serve while a scene is played; the loop asks by itself, or by threads as for PostgreSQL."""
    # In a thread without a loop: the driver of browsers leaves one behind in the main one.
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, _serve(scene, asks_in_threads=asks_in_threads)).result()


async def _serve(scene: Scene, *, asks_in_threads: bool) -> None:
    loop = asyncio.get_running_loop()
    shared = OpenConnections(tell_back, asks_in_threads=asks_in_threads)
    shared.tick(loop.time())
    listener = await loop.create_server(lambda: GateConnection(shared), "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    clients: list[Client] = []

    async def connect() -> Client:
        clients.append(Client(*await asyncio.open_connection("127.0.0.1", port)))
        return clients[-1]

    try:
        async with asyncio.timeout(SECONDS):
            await scene(shared, connect)
    finally:
        listener.close()
        for client in clients:
            client.writer.close()
        for connection in list(shared.open):
            connection.abort()
        await asyncio.sleep(0.05)
