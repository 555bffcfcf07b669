"""No header of a client's says who somebody is, or where a request comes from.

A4, ASVS 4.1.3; CVE-2023-36456, CVE-2025-48865, CVE-2025-64484, CVE-2026-40575.
"""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.conftest import NewTally
from tests.support.platforms import Platform
from tests.support.raw_requests import Header, Reply
from tests.support.spoofed_headers import told, variants
from tests.support.tls_clients import Doors, Line, cookie
from tests.support.visitors import visit

_REFUSED = 400
"""By nginx, before anybody else sees it."""


@pytest.fixture(params=["wiki", "staff"])
def name(request: pytest.FixtureRequest) -> str:
    """Name an application that knows people by our headers, and one with its own."""
    return str(request.param)


@pytest.fixture
def line(doors: Doors, platform: Platform, name: str) -> Iterator[Line]:
    with closing(Line(doors, platform.host(name))) as line:
        yield line


def test_application_is_told_the_same_whatever_a_client_adds(
    platform: Platform, line: Line, name: str, new_tally: NewTally
) -> None:
    tally = new_tally("Proxies", "spoofed headers of somebody who is signed in")
    ada = visit(platform, name, email="ada@example.org", groups=("staff",))
    recorder = platform.applications[name]
    assert line.ask("/page", cookie(ada.token(name))).status == 200
    honest = told(recorder.last.headers)
    assert ("host", f"{platform.host(name)}:{platform.port}") in honest

    passed = 0
    for headers in variants():
        recorder.forget()
        with tally.trial():
            reply = line.ask("/page", cookie(ada.token(name)), *headers)
            assert reply.status in {200, _REFUSED}, (headers, reply.status)
            for received in recorder.requests:
                passed += 1
                assert told(received.headers) == honest, headers
    assert passed >= 200


def test_stranger_is_nobody_whatever_they_add(
    platform: Platform, line: Line, name: str, new_tally: NewTally
) -> None:
    tally = new_tally("Proxies", "spoofed headers of somebody who is not")

    for headers in variants():
        with tally.trial():
            assert line.ask("/page", *headers).status in {401, _REFUSED}, headers
    assert not platform.applications[name].requests


def test_service_sees_the_same_whatever_a_client_adds(
    platform: Platform, doors: Doors, new_tally: NewTally
) -> None:
    """The answer, the host it is for, and the address that it notes."""
    tally = new_tally("Proxies", "spoofed headers at the service itself")
    ada, navigation = visit(platform), (b"Accept", b"text/html")
    with (
        closing(Line(doors, platform.host("identity"))) as identity,
        closing(Line(doors, platform.host("wiki"))) as wiki,
    ):

        def ask(*headers: Header) -> list[Reply]:
            return [
                identity.ask("/api/auth/session", cookie(ada.root), *headers),
                wiki.ask("/page", navigation, *headers),
            ]

        me, way = ask()
        assert (me.status, way.status) == (200, 303)
        before = len(platform.service.log())
        for headers in variants():
            with tally.trial():
                again, there = ask(*headers)
                assert again.status == _REFUSED or again.body == me.body, headers
                assert there.status == _REFUSED or _place(there) == _place(way), headers
    assert "203.0.113.9" not in platform.service.log()[before:]


def _place(reply: Reply) -> tuple[int, str]:
    # The browser's mark is another each time.
    return reply.status, reply.header("location").partition("&browser=")[0]
