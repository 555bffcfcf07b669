"""The demo starts with one command, shows what it says, and stops whole."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from tests.support.nginx import find_nginx
from tests.support.servers import ROOT, free_port

_STOP_SECONDS = 20


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def demo(port: int, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Start it, and wait until it has said where it is."""
    environment = {**os.environ, "NGINX_PROGRAM": find_nginx()}
    options = ["--port", str(port), "--folder", str(tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.demo.run", *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=_STOP_SECONDS)


def ask(port: int, host: str, path: str, **headers: str) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Host": f"{host}:{port}", **headers})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def test_demo_leads_to_sign_in_and_stops_whole(demo: subprocess.Popen[str], port: int) -> None:
    said = []
    assert demo.stdout is not None
    for line in demo.stdout:
        said.append(line.strip())
        if said[-1].startswith("Ctrl-C"):
            break
    assert f"openbadges-system: http://localhost:{port}/" in said, said
    assert said[-1] == "Ctrl-C stops it all.", said

    assert ask(port, "localhost", "/sign-in").status == 200
    for name in ("wiki", "staff"):
        led = ask(port, f"{name}.localhost", "/page", Accept="text/html")
        assert led.status == 303
        way = led.headers["Location"]
        assert way.startswith(f"http://localhost:{port}/api/auth/handover?app={name}&")
        assert ask(port, f"{name}.localhost", "/page").status == 401

    demo.send_signal(signal.SIGINT)

    assert demo.wait(_STOP_SECONDS) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
