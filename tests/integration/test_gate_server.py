"""The gate's own server reads HTTP/1.1 as RFC 9112 has it.

What is asked here tells back what it was asked; real clients on real sockets ask it.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from app.gate_server.open_connections import OpenConnections
from tests.support.gate_clients import ASK, LAST, SECONDS, Connect, Play


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
