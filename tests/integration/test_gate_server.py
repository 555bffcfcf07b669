"""The gate's own server reads HTTP/1.1 as RFC 9112 has it, and is kept by nobody (A1, A3).

What is asked here tells back what it was asked; real clients on real sockets ask it.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from app.gate_server import connection as server
from app.gate_server.connection import GateConnection
from app.gate_server.open_connections import Environ, OpenConnections

ASK = b"GET /who HTTP/1.1\r\nHost: id.example.org\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: id.example.org\r\nConnection: close\r\n\r\n"
SECONDS = 10
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


@pytest.fixture(params=["in the loop", "in threads"])
def play(request: pytest.FixtureRequest) -> Play:
    """Serve while a scene is played; the loop asks by itself, or by threads as for PostgreSQL."""
    asks_in_threads = request.param == "in threads"

    async def serve(scene: Scene) -> None:
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

    def run(scene: Scene) -> None:
        # In a thread without a loop: the driver of browsers leaves one behind in the main one.
        with ThreadPoolExecutor(1) as threads:
            threads.submit(asyncio.run, serve(scene)).result()

    return run


def test_requests_are_answered_one_after_another_on_one_connection(play: Play) -> None:
    async def scene(_shared: OpenConnections, connect: Connect) -> None:
        client = await connect()
        for number in range(3):
            status, told = await client.ask(ASK.replace(b"/who", f"/who/%41?n={number}".encode()))
            assert status == 200
            assert told["PATH_INFO"] == "/who/A"
            assert told["QUERY_STRING"] == f"n={number}"
            assert told["REQUEST_METHOD"] == "GET"
            assert told["HTTP_HOST"] == "id.example.org"

    play(scene)


def test_many_requests_sent_at_once_are_answered_in_their_order(play: Play) -> None:
    async def scene(_shared: OpenConnections, connect: Connect) -> None:
        client = await connect()
        paths = ["/slow", *(f"/{number}" for number in range(199))]
        client.writer.write(b"".join(ASK.replace(b"/who", path.encode()) for path in paths))
        client.writer.write(LAST + ASK)
        answers = [await client.answer() for _ in range(201)]

        assert [told["PATH_INFO"] for _, told in answers] == [*paths, "/last"]
        assert await client.is_closed()

    play(scene)


def test_no_more_than_so_many_may_be_sent_ahead(play: Play) -> None:
    async def scene(_shared: OpenConnections, connect: Connect) -> None:
        client = await connect()
        client.writer.write(ASK.replace(b"/who", b"/slow") + ASK * 400)

        answers = [await client.answer() for _ in range(server.MOST_UNANSWERED + 1)]

        assert {status for status, _ in answers} == {200}
        assert await client.is_closed()

    play(scene)


@pytest.mark.parametrize("play", ["in threads"], indirect=True)
def test_nothing_more_is_asked_for_who_has_gone(play: Play) -> None:
    """Each is a question to the database, and keeps a thread from those who stayed."""
    SLOW.clear()

    async def scene(_shared: OpenConnections, connect: Connect) -> None:
        client = await connect()
        client.writer.write(ASK.replace(b"/who", b"/slow") * 20)
        await client.writer.drain()
        await asyncio.sleep(0.05)
        client.writer.transport.abort()
        await asyncio.sleep(0.5)

    play(scene)

    assert 1 <= len(SLOW) < 6


def test_who_asks_no_more_is_answered(play: Play) -> None:
    async def scene(_shared: OpenConnections, connect: Connect) -> None:
        client = await connect()
        client.writer.write(ASK.replace(b"/who", b"/slow"))
        client.writer.write_eof()

        assert (await client.answer())[0] == 200
        assert await client.is_closed()

    play(scene)


def test_a_request_may_come_byte_by_byte(play: Play) -> None:
    async def scene(_shared: OpenConnections, connect: Connect) -> None:
        client = await connect()
        for byte in ASK:
            client.writer.write(bytes([byte]))
            await client.writer.drain()
            await asyncio.sleep(0)
        status, told = await client.answer()
        assert (status, told["HTTP_HOST"]) == (200, "id.example.org")

    play(scene)


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 4\r\n\r\nGET ",
        b"Transfer-Encoding: chunked\r\n\r\n0\r\nCookie: trailer=1\r\n\r\n",
        b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"Connection: close\r\n\r\n",
    ],
    ids=["a length", "chunks", "another protocol", "the last"],
)
def test_nothing_behind_a_body_or_an_upgrade_is_read(play: Play, head: bytes) -> None:
    """So that two programs can never disagree where the next request begins."""

    async def scene(_shared: OpenConnections, connect: Connect) -> None:
        client = await connect()
        client.writer.write(b"GET /first HTTP/1.1\r\nHost: id.example.org\r\n" + head + ASK)

        status, told = await client.answer()

        assert (status, told["PATH_INFO"]) == (200, "/first")
        assert "HTTP_COOKIE" not in told
        assert await client.is_closed()

    play(scene)


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /who HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET /who HTTP/1.1\r\nHost: x\r\n y\r\n\r\n",
        b"GET /who HTTP/1.1\r\nNo colon\r\n\r\n",
        b"GET /who HTTP/1.1\nHost: x\n\n",
        b"GET /who HTTP/1.1\r\nHost: a\0b\r\n\r\n",
        b"GET /who HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /who HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /who HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
        b"GET /who there HTTP/1.1\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /who HTTP/1.1\r\n\r\n",
        b"GET /who HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /who#a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET who HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_once(play: Play, request_: bytes) -> None:
    async def scene(_shared: OpenConnections, connect: Connect) -> None:
        client = await connect()
        assert (await client.ask(ASK))[0] == 200
        assert (await client.ask(request_ + ASK))[0] == 400
        assert await client.is_closed()

    play(scene)


def test_what_came_before_nonsense_is_answered(play: Play) -> None:
    async def scene(_shared: OpenConnections, connect: Connect) -> None:
        client = await connect()
        client.writer.write(ASK + ASK + b"nonsense\r\n\r\n")

        assert [(await client.answer())[0] for _ in range(3)] == [200, 200, 400]
        assert await client.is_closed()

    play(scene)


@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"], ids=["without an end", "whole"])
@pytest.mark.parametrize("size", [34_000, 200_000])
def test_a_large_head_is_refused(play: Play, size: int, end: bytes) -> None:
    async def scene(_shared: OpenConnections, connect: Connect) -> None:
        client = await connect()
        begins = b"GET /who HTTP/1.1\r\nHost: a\r\nCookie: "
        assert (await client.ask(begins + b"a" * 32_000 + b"\r\n\r\n"))[0] == 200
        client.writer.write(begins)
        await client.writer.drain()
        await asyncio.sleep(0.1)
        client.writer.write(b"a" * size + end)

        assert (await client.answer())[0] == 431
        assert await client.is_closed()

    play(scene)


def test_many_small_heads_are_no_large_one(play: Play) -> None:
    async def scene(_shared: OpenConnections, connect: Connect) -> None:
        client = await connect()
        padded = ASK[:-2] + b"Cookie: " + b"a" * 500 + b"\r\n\r\n"
        client.writer.write(padded * 100 + padded[:300])
        await client.writer.drain()
        await asyncio.sleep(0.1)
        client.writer.write(padded[300:])

        assert {(await client.answer())[0] for _ in range(101)} == {200}

    play(scene)


def test_headers_reach_the_gate_as_wsgi_has_them(play: Play) -> None:
    async def scene(_shared: OpenConnections, connect: Connect) -> None:
        client = await connect()
        headers = [
            b"X-Forwarded-Method: GET",
            b"X_Forwarded_Method: POST",
            b"Sec-Fetch-Site:  same-origin ",
            b"Cookie: a=\xc3\xab",
            b"Cookie: b",
            b"PATH-INFO: /admin",
            b"N" * 65 + b": nothing",
            b"Host: a",
        ]
        _, told = await client.ask(b"\r\n".join([b"GET /who HTTP/1.1", *headers, b"", b""]))

        assert told == {
            "HTTP_X_FORWARDED_METHOD": "GET",
            "HTTP_SEC_FETCH_SITE": "same-origin",
            "HTTP_COOKIE": "a=\u00c3\u00ab,b",
            "HTTP_PATH_INFO": "/admin",
            "HTTP_HOST": "a",
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/who",
            "QUERY_STRING": "",
        }

    play(scene)


@pytest.mark.parametrize(
    ("line", "path", "goes_on"),
    [
        (b"GET http://id.example.org/who?a=b HTTP/1.1\r\nHost: a", "/who", True),
        (b"GET /who HTTP/1.0", "/who", False),
        (b"GET /who HTTP/1.0\r\nConnection: keep-alive", "/who", False),
    ],
)
def test_other_forms_of_a_request_are_read(
    play: Play, line: bytes, path: str, *, goes_on: bool
) -> None:
    async def scene(_shared: OpenConnections, connect: Connect) -> None:
        client = await connect()
        status, told = await client.ask(line + b"\r\n\r\n")
        assert (status, told["PATH_INFO"]) == (200, path)
        if goes_on:
            assert (await client.ask(ASK))[0] == 200
        else:
            assert await client.is_closed()

    play(scene)


def test_a_head_request_has_no_body_in_its_answer(play: Play) -> None:
    async def scene(_shared: OpenConnections, connect: Connect) -> None:
        client = await connect()
        client.writer.write(ASK.replace(b"GET", b"HEAD") + ASK)
        head = await client.reader.readuntil(b"\r\n\r\n")

        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"Content-Length: " in head
        assert (await client.answer())[0] == 200

    play(scene)


@pytest.mark.parametrize("line", [b"GET /who HTTP/2.0", b"GET /who HTTP/0.9"])
def test_other_versions_are_refused(play: Play, line: bytes) -> None:
    async def scene(_shared: OpenConnections, connect: Connect) -> None:
        client = await connect()
        assert (await client.ask(line + b"\r\nHost: a\r\n\r\n"))[0] == 505
        assert await client.is_closed()

    play(scene)


@pytest.mark.parametrize("path", [b"/broken", b"/split"])
def test_an_answer_that_cannot_be_sent_is_none(play: Play, path: bytes) -> None:
    async def scene(_shared: OpenConnections, connect: Connect) -> None:
        client = await connect()
        status, told = await client.ask(ASK.replace(b"/who", path))
        assert (status, told) == (500, {})
        assert (await client.ask(ASK))[0] == 200

    play(scene)


@pytest.mark.parametrize("request_", [ASK, LAST, b"nonsense\r\n\r\n"])
def test_every_answer_has_a_date(play: Play, request_: bytes) -> None:
    """RFC 9110 section 6.6.1."""

    async def scene(_shared: OpenConnections, connect: Connect) -> None:
        client = await connect()
        client.writer.write(request_)
        head = await client.reader.readuntil(b"\r\n\r\n")
        (date,) = [line[6:] for line in head.decode().split("\r\n") if line.startswith("Date: ")]
        assert abs(parsedate_to_datetime(date) - datetime.now(UTC)) < timedelta(seconds=SECONDS)

    play(scene)


def test_who_reads_no_answers_is_not_asked_for_any_more(play: Play) -> None:
    """A1: however slowly the requests come, and whatever else the connection does."""

    async def scene(shared: OpenConnections, connect: Connect) -> None:
        deaf = await connect()
        began, asked = shared.now, 0
        while shared.open or not asked:
            deaf.writer.write(ASK.replace(b"/who", b"/large"))
            await asyncio.sleep(0.02)
            asked += 1
            shared.tick(began + asked)

        assert asked < server.STALL_SECONDS + 20
        other = await connect()
        assert (await other.ask(ASK))[0] == 200

    play(scene)


def test_whoever_keeps_a_connection_waiting_is_dropped(play: Play) -> None:
    """A1: by a head that never ends, an answer that is not read, and by saying nothing."""

    async def scene(shared: OpenConnections, connect: Connect) -> None:
        silent, slow, deaf, busy = [await connect() for _ in range(4)]
        assert (await silent.ask(ASK))[0] == 200
        slow.writer.write(ASK[:-2])
        deaf.writer.write(ASK.replace(b"/who", b"/large") * 30)
        await deaf.writer.drain()
        await asyncio.sleep(0.5)
        began = shared.now
        assert len(shared.open) == 4

        shared.tick(began + server.STALL_SECONDS - 1)
        assert len([one for one in shared.open if one.waits_until < shared.now]) == 0
        slow.writer.write(b"a")
        await asyncio.sleep(0.1)
        shared.tick(began + server.STALL_SECONDS + 1)
        assert (await busy.ask(ASK))[0] == 200
        await asyncio.sleep(0.1)
        assert len(shared.open) == 2
        assert await slow.is_closed()

        shared.tick(began + server.KEEPALIVE_SECONDS + 1)
        await asyncio.sleep(0.1)
        assert len(shared.open) == 1
        assert await silent.is_closed()
        assert (await busy.ask(ASK))[0] == 200

    play(scene)


def test_one_connection_too_many_is_closed(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)

    async def scene(_shared: OpenConnections, connect: Connect) -> None:
        first, second = await connect(), await connect()
        assert (await first.ask(ASK))[0] == (await second.ask(ASK))[0] == 200
        third = await connect()
        assert await third.is_closed()
        first.writer.close()
        await first.writer.wait_closed()
        await asyncio.sleep(0.1)
        assert (await (await connect()).ask(ASK))[0] == 200

    play(scene)


def test_a_stop_closes_what_is_idle_and_answers_the_rest(play: Play) -> None:
    async def scene(shared: OpenConnections, connect: Connect) -> None:
        idle, amid, asked = [await connect() for _ in range(3)]
        assert (await idle.ask(ASK))[0] == 200
        amid.writer.write(ASK[:-2])
        asked.writer.write(ASK.replace(b"/who", b"/slow"))
        await asyncio.sleep(0.05)

        shared.stop()

        assert await idle.is_closed()
        assert (await asked.answer())[0] == 200
        assert await asked.is_closed()
        assert (await amid.ask(b"\r\n"))[0] == 200
        assert await amid.is_closed()
        assert await (await connect()).is_closed()

    play(scene)
