"""Too much of everything, over the wire to four workers: refused at once, and nobody is harmed.

A2; WA-X3, ASVS 4.2.5. One byte below each limit is still served.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest

from tests.support.crowds import at_once
from tests.support.deployments import Deployment
from tests.support.processes import unharmed_workers
from tests.support.raw_connections import OverTheWire, ask_once
from tests.support.raw_requests import HOST

MOST_CPU_SECONDS = 0.1
_MEASURED = 3

LARGEST_BODY, LARGEST_FIELD, MOST_FIELDS, LONGEST_LINE = 64 * 1024, 8190, 64, 4094
MEGABYTE = 10**6

GET = b"GET /api/auth/session HTTP/1.1\r\n"
POST = b"POST /api/auth/authentication/options HTTP/1.1\r\n"
OWN = b"Host: " + HOST.encode() + b"\r\n"
JSON = OWN + b"Content-Type: application/json\r\n"


CHUNKED = POST + JSON + b"Transfer-Encoding: chunked\r\n\r\n"


def of_length(body: bytes) -> bytes:
    return POST + JSON + b"Content-Length: %d\r\n\r\n" % len(body) + body


def in_chunks(body: bytes, size: int) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return CHUNKED + chunks + b"0\r\n\r\n"


def padded(size: int) -> bytes:
    return b"{}".ljust(size)


def with_field(size: int) -> bytes:
    """Make a request with a header line of so many bytes, its end included."""
    return GET + OWN + b"X: " + b"x" * (size - len(b"X: \r\n")) + b"\r\n\r\n"


def with_fields(number: int) -> bytes:
    return GET + OWN + b"".join(b"X-%d: x\r\n" % one for one in range(number - 1)) + b"\r\n"


def with_line(size: int) -> bytes:
    """Make a request whose first line has so many bytes, without its end."""
    frame = b"GET /api/ HTTP/1.1"
    line = frame.replace(b"/api/", b"/api/" + b"x" * (size - len(frame)))
    return line + b"\r\n" + OWN + b"\r\n"


Case = tuple[bytes, int]
"""A request, and the status of its answer."""

LIMITS: dict[str, tuple[Case, Case]] = {
    "body": (
        (of_length(padded(LARGEST_BODY)), 200),
        (of_length(padded(LARGEST_BODY + 1)), 413),
    ),
    "chunked body": (
        (in_chunks(padded(LARGEST_BODY - 1), 1000), 200),
        (in_chunks(padded(LARGEST_BODY), 1000), 413),
    ),
    "header field": ((with_field(LARGEST_FIELD), 401), (with_field(LARGEST_FIELD + 1), 431)),
    "header fields": ((with_fields(MOST_FIELDS), 401), (with_fields(MOST_FIELDS + 1), 431)),
    "request line": ((with_line(LONGEST_LINE), 404), (with_line(LONGEST_LINE + 1), 414)),
    "depth": (
        (of_length(b'{"x": ' + b"[" * 15 + b"]" * 15 + b"}"), 422),
        (of_length(b'{"x": ' + b"[" * 16 + b"]" * 16 + b"}"), 400),
    ),
}


FLOODS: dict[str, tuple[Callable[[], bytes], int]] = {
    "10 MB that say so": (lambda: of_length(padded(10 * MEGABYTE)), 413),
    "10 MB in one chunk": (lambda: in_chunks(padded(10 * MEGABYTE), 10 * MEGABYTE), 413),
    "10 MB in chunks": (lambda: in_chunks(padded(10 * MEGABYTE), 4096), 413),
    "100 MB in one chunk": (lambda: in_chunks(padded(100 * MEGABYTE), 100 * MEGABYTE), 413),
    "100 MB in chunks": (lambda: in_chunks(padded(100 * MEGABYTE), MEGABYTE), 413),
    "a chunk of 2^64": (lambda: CHUNKED + b"%x\r\n" % 2**64 + padded(10 * MEGABYTE), 413),
    "a chunk size without end": (lambda: CHUNKED + b"0" * MEGABYTE, 400),
    "trailers without end": (lambda: CHUNKED + b"0\r\n" + b"X: y\r\n" * MEGABYTE, 400),
    "a line without end": (lambda: b"GET /" + b"x" * 10 * MEGABYTE, 414),
    "a header without end": (lambda: GET + OWN + b"X: " + b"x" * 10 * MEGABYTE, 431),
    "headers without end": (lambda: GET + OWN + b"X: y\r\n" * MEGABYTE, 431),
    "64 KiB of brackets": (lambda: of_length(b"[" * LARGEST_BODY), 400),
    "64 KiB of braces": (lambda: of_length(b'{"":' * (LARGEST_BODY // 4)), 400),
    "10^5 levels": (lambda: of_length(b"[" * 10**5 + b"]" * 10**5), 413),
    "64 KiB of digits": (lambda: of_length(b"9" * LARGEST_BODY), 400),
    "64 KiB of ones": (lambda: of_length(b"[" + b"1," * (LARGEST_BODY // 2 - 2) + b"1]"), 422),
}


@pytest.fixture
def line(deployment: Deployment) -> Iterator[OverTheWire]:
    """Give connections to every worker, all of which live on unharmed."""
    with closing(OverTheWire.to(deployment.server)) as line, unharmed_workers(deployment.server):
        yield line
        for _ in line.connections:
            assert line.ask_bytes(of_length(b"{}")).status == 200


@pytest.mark.parametrize(("within", "beyond"), LIMITS.values(), ids=LIMITS)
def test_one_byte_more_than_a_limit_is_refused(
    deployment: Deployment, line: OverTheWire, within: Case, beyond: Case
) -> None:
    for data, status in (within, beyond):
        assert ask_once(deployment.server.port, data).status == status


@pytest.mark.parametrize(("make", "status"), FLOODS.values(), ids=FLOODS)
def test_flood_is_refused_for_next_to_nothing(
    deployment: Deployment, line: OverTheWire, make: Callable[[], bytes], status: int
) -> None:
    flood, statuses, spent = make(), set(), []

    for _ in range(_MEASURED):
        began_at = line.cpu_seconds()
        # Who goes on writing after the refusal may find the connection closed instead of it.
        with suppress(OSError):
            statuses.add(ask_once(deployment.server.port, flood).status)
        spent.append(line.cpu_seconds() - began_at)

    assert statuses == {status}
    assert min(spent) <= MOST_CPU_SECONDS


def test_many_floods_at_once_take_no_memory(deployment: Deployment, line: OverTheWire) -> None:
    flood = in_chunks(padded(100 * MEGABYTE), MEGABYTE)

    def pour() -> int | None:
        with suppress(OSError):
            return ask_once(deployment.server.port, flood).status
        return None

    assert set(at_once([pour] * 16)) <= {413, None}
