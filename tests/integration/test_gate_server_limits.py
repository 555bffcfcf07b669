"""The gate's own server is kept by nobody: limits, deadlines, stops (A1, A2).

Each limit has somebody beside it who stays below and is served.
"""

import asyncio

import pytest

from app.gate_server import connection as server
from app.gate_server.open_connections import OpenConnections
from tests.support.gate_clients import ASK, SLOW, Connect, Play


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
        await asyncio.sleep(0.3)
        asked = len(SLOW)
        await asyncio.sleep(0.5)

        assert 1 <= asked == len(SLOW) < 20

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


def test_a_refusal_arrives_though_its_request_was_not_read(play: Play) -> None:
    """Whoever closes on unread bytes takes the answer away again (RFC 9112 section 9.6)."""

    async def scene(shared: OpenConnections, connect: Connect) -> None:
        client = await connect()
        client.writer.write(b"nonsense\r\n\r\n")
        await asyncio.sleep(0.1)
        for _ in range(20):
            client.writer.write(bytes(100_000))
            await client.writer.drain()

        assert (await client.answer())[0] == 400
        assert await client.is_closed()
        assert len(shared.open) == 1
        shared.tick(shared.now + server.LINGER_SECONDS + 1)
        await asyncio.sleep(0.1)
        assert not shared.open

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
