"""Five hundred clients that dawdle before nginx cost the people beside them nothing (A1)."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.conftest import NewTally
from tests.proxies.test_connections import clients_of
from tests.support.platforms import Platform
from tests.support.tls_clients import Doors, Line, cookie
from tests.support.units import side_by_side
from tests.support.visitors import visit

_DAWDLERS = 500
_ROUNDS = 30
_OPENERS = 8
_PAUSE_SECONDS = 0.1
_MOST_OF_OTHERS = 5
"""New connections behind nginx, which keeps few."""
_DOORS_OF_NGINX = 1024
"""A client that came through holds one of nginx's connections, with what nginx asks for it two."""

_HEAD = "POST /api/auth/registration/options HTTP/1.1\r\nHost: {host}\r\n"
_DAWDLING = {
    "heads": (_HEAD, b"X-Dawdles: "),
    "bodies": (_HEAD + "Content-Type: application/json\r\nContent-Length: 900\r\n\r\n", b"{"),
    "silent": ("", b""),
}


@contextmanager
def dawdlers(doors: Doors, host: str, kind: str) -> Iterator[list[ssl.SSLSocket]]:
    """Let them come, and go on byte by byte until the block ends."""
    begins, first = _DAWDLING[kind]
    opened: list[ssl.SSLSocket] = []
    over = threading.Event()

    def come() -> None:
        for _ in range(_DAWDLERS // _OPENERS + 1):
            one = doors.open(host)
            if begins:
                one.sendall(begins.format(host=f"{host}:{doors.port}").encode() + first)
            opened.append(one)

    def go_on() -> None:
        while not over.wait(_PAUSE_SECONDS):
            for one in opened:
                if begins:
                    one.sendall(b"a")

    going = threading.Thread(target=go_on)
    try:
        side_by_side([come] * _OPENERS)
        going.start()
        yield opened
    finally:
        over.set()
        if going.is_alive():
            going.join()
        for one in opened:
            one.close()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("identity", "heads"), ("identity", "bodies"), ("wiki", "heads"), ("wiki", "silent")],
)
def test_people_beside_dawdlers_are_served(
    platform: Platform, doors: Doors, new_tally: NewTally, name: str, kind: str
) -> None:
    """And none of the dawdlers comes as far as the service, the gate or the application."""
    tally = new_tally("Proxies", f"an answer beside 500 dawdlers: {name}, {kind}")
    identity, wiki = platform.host("identity"), platform.host("wiki")
    ada = visit(platform, "wiki")

    def come_and_go(page: Line, service: Line) -> None:
        assert page.ask("/page", cookie(ada.token("wiki"))).status == 200
        assert service.ask("/api/auth/session", cookie(ada.root)).status == 200
        assert doors.ask(identity, "/sign-in").status == 200
        assert doors.ask(wiki, "/page").status == 401

    with closing(Line(doors, wiki)) as page, closing(Line(doors, identity)) as service:
        come_and_go(page, service)
        before = {port: clients_of(port) for port in (platform.service.port, platform.gate.port)}
        with dawdlers(doors, platform.host(name), kind) as opened:
            assert _DAWDLERS <= len(opened) < _DOORS_OF_NGINX
            for _ in range(_ROUNDS):
                with tally.trial():
                    come_and_go(page, service)
            assert len(clients_of(doors.port)) >= _DAWDLERS
            for port, known in before.items():
                assert len(clients_of(port) - known) < _MOST_OF_OTHERS
    assert len(platform.applications["wiki"].requests) == _ROUNDS + 1
