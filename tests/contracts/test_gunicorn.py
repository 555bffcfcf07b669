"""gunicorn serves by the settings alone, says nothing about itself, and refuses a wrong boot."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from app.places import QUEUE
from tests.support.boots import KEY, PASSWORD, PRODUCTION
from tests.support.servers import ROOT, free_port

# Stands in for the service, so that what gunicorn itself does can be seen.
TELLS_ITS_ENVIRON = """
import json
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    names = ("wsgi.url_scheme", "SCRIPT_NAME", "PATH_INFO", "REMOTE_ADDR", "wsgi.multithread")
    return [json.dumps({name: environ[name] for name in names}).encode()]
"""
SECONDS = 20


@contextmanager
def started(
    variables: Mapping[str, str], home: Path, *, application: str = "tells:app"
) -> Iterator[subprocess.Popen[bytes]]:
    """Run gunicorn, its output in home/log; it has ended when the block ends."""
    (home / "tells.py").write_text(TELLS_ITS_ENVIRON)
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--pythonpath", str(home), application],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(home), **variables},
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield process
        finally:
            # On a refusal it has ended by itself, and this does nothing.
            process.send_signal(signal.SIGTERM)
            process.wait(SECONDS)


@contextmanager
def serving(variables: Mapping[str, str], home: Path) -> Iterator[subprocess.Popen[bytes]]:
    with started(variables, home) as process:
        give_up_at = time.monotonic() + SECONDS
        while b"Booting worker" not in (home / "log").read_bytes():
            assert process.poll() is None, (home / "log").read_text()
            assert time.monotonic() < give_up_at, (home / "log").read_text()
            time.sleep(0.05)
        yield process


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gunicorn")


@pytest.fixture(scope="module")
def port(home: Path) -> Iterator[int]:
    chosen = free_port()
    variables = {**PRODUCTION, "SQLITE_FILE": str(home / "badges.db"), "PORT": str(chosen)}
    with serving({**variables, "WEB_CONCURRENCY": "1"}, home):
        yield chosen


def ask(
    port: int, path: str = "/", headers: Mapping[str, str] | None = None, *, patience: float = 5
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
    try:
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


WRONG = {
    "missing_origin": ({"PUBLIC_ORIGIN": ""}, "PUBLIC_ORIGIN is missing"),
    "plain_http": ({"PUBLIC_ORIGIN": "http://id.example.org"}, "PUBLIC_ORIGIN is plain http"),
    "short_key": ({"SECRET_KEYS": KEY[:-1]}, "SECRET_KEYS holds a key that is not exactly"),
    "database": ({"DATABASE_URL": f"mysql://a:{PASSWORD}@b/c"}, "DATABASE_URL is for no supported"),
}


@pytest.mark.parametrize(("changes", "words"), WRONG.values(), ids=WRONG.keys())
def test_wrong_setting_ends_the_boot_with_its_sentence(
    tmp_path: Path, changes: dict[str, str], words: str
) -> None:
    variables = {**PRODUCTION, "SQLITE_FILE": str(tmp_path / "badges.db"), **changes}
    if "DATABASE_URL" in changes:
        del variables["SQLITE_FILE"]

    with started(variables, tmp_path, application="wsgi:app") as process:
        status = process.wait(SECONDS)

    log = (tmp_path / "log").read_text()
    assert status == 1, log
    assert log.startswith(words)
    assert len(log.splitlines()) == 1
    assert KEY[:-1] not in log
    assert PASSWORD not in log


def test_answers_come_from_threads(port: int) -> None:
    response, body = ask(port)

    assert response.status == 200
    assert json.loads(body)["wsgi.multithread"] is True


def test_no_answer_names_the_server(port: int) -> None:
    """ASVS 13.4.6."""
    for path, headers in (("/", {}), ("/" + "x" * 5000, {}), ("/", {"X-Long": "x" * 9000})):
        response, body = ask(port, path, headers)
        assert response.getheader("Server") is None
        assert b"gunicorn" not in body.lower()
        assert response.getheader("Date") is not None or response.status != 200


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/" + "x" * 4000, {}, 200),
        ("/" + "x" * 4094, {}, 414),
        ("/", {"X-Long": "x" * 8000}, 200),
        ("/", {"X-Long": "x" * 8200}, 431),
        ("/", {f"X-{number}": "x" for number in range(60)}, 200),
        ("/", {f"X-{number}": "x" for number in range(64)}, 431),
    ],
    ids=["line", "longer_line", "header", "longer_header", "headers", "more_headers"],
)
def test_requests_over_the_limits_are_refused(
    port: int, path: str, headers: dict[str, str], status: int
) -> None:
    """A2."""
    response, _ = ask(port, path, headers)

    assert response.status == status


def test_no_header_decides_scheme_path_or_address(port: int) -> None:
    """A4, ASVS 4.1.3."""
    claims = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Ssl": "on",
        "X-Forwarded-For": "192.0.2.7",
        "Script-Name": "/elsewhere",
        "SCRIPT_NAME": "/elsewhere",
        "PATH_INFO": "/elsewhere",
    }

    _, body = ask(port, "/here", claims)

    told = json.loads(body)
    assert told["wsgi.url_scheme"] == "http"
    assert told["SCRIPT_NAME"] == ""
    assert told["PATH_INFO"] == "/here"
    assert told["REMOTE_ADDR"] == "127.0.0.1"


def test_log_is_the_projects_and_holds_no_request(port: int, home: Path) -> None:
    ask(port, "/seen-by-nobody")

    lines = [json.loads(line) for line in (home / "log").read_text().splitlines()]

    assert any(line["event"].startswith("Listening at") for line in lines)
    assert not any("seen-by-nobody" in line["event"] for line in lines)


def test_nothing_can_stop_the_server_through_a_socket(port: int, home: Path) -> None:
    left = {item.relative_to(home).parts[0] for item in home.rglob("*")}

    assert left <= {"log", "tells.py", "__pycache__", "badges.db"}


def test_socket_file_is_for_user_and_group_alone(tmp_path: Path) -> None:
    path = tmp_path / "gunicorn.sock"
    variables = {**PRODUCTION, "SQLITE_FILE": str(tmp_path / "b.db"), "BIND": f"unix:{path}"}
    # One worker, whose answer shows that it is up: until then gunicorn loses the signal to stop.
    variables |= {"WEB_CONCURRENCY": "1"}

    with serving(variables, tmp_path) as process, socket.socket(socket.AF_UNIX) as client:
        mode = stat.S_IMODE(path.stat().st_mode)
        client.settimeout(5)
        client.connect(str(path))
        client.sendall(
            b"GET /here HTTP/1.1\r\nHost: id.example.org\r\nX-Forwarded-Proto: https\r\n"
            b"SCRIPT_NAME: /elsewhere\r\nConnection: close\r\n\r\n"
        )
        answer = b"".join(iter(lambda: client.recv(65536), b""))

    assert mode & 0o007 == 0
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"wsgi.url_scheme": "http"' in answer
    assert b'"SCRIPT_NAME": ""' in answer
    assert process.returncode == 0


def test_stop_waits_for_no_connection_that_never_asked(tmp_path: Path) -> None:
    """Browsers open connections in advance: Ctrl-C must not wait for the 25 s of grace."""
    chosen = free_port()
    variables = {**PRODUCTION, "SQLITE_FILE": str(tmp_path / "b.db"), "PORT": str(chosen)}
    with serving({**variables, "WEB_CONCURRENCY": "1"}, tmp_path) as process:
        ask(chosen)
        with socket.create_connection(("127.0.0.1", chosen)):
            time.sleep(6)  # gunicorn sets it aside after five seconds without a byte
            begun = time.monotonic()

            process.send_signal(signal.SIGTERM)
            process.wait(SECONDS)

            assert time.monotonic() - begun < 10
    assert process.returncode == 0


def test_stalled_requests_give_their_threads_back(tmp_path: Path) -> None:
    """A1: as many as there are threads, the spare ones included, each in mid-request."""
    chosen = free_port()
    variables = {**PRODUCTION, "SQLITE_FILE": str(tmp_path / "b.db"), "PORT": str(chosen)}
    variables |= {"WEB_CONCURRENCY": "1", "THREADS": "2"}
    with serving(variables, tmp_path), ExitStack() as stalled:
        ask(chosen)
        for _ in range(2 + QUEUE + 1):
            one = stalled.enter_context(socket.create_connection(("127.0.0.1", chosen)))
            one.sendall(b"GET / HTTP/1.1\r\nHost: id.exam")

        answer, _ = ask(chosen, patience=40)

        assert answer.status == 200
