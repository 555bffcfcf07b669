"""A real Caddy for a test, in the place of a platform's nginx."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.platform_sites import HOSTS
from tests.support.platforms import Platform
from tests.support.servers import ROOT

SHIPPED = ROOT / "deploy" / "caddy" / "openbadges.caddy"
_SECONDS = 15
_SITE = """\
https://{host}:{port} {{
    bind 127.0.0.1
    tls {certificates}/{host}/fullchain.pem {certificates}/{host}/privkey.pem
    import {what}
}}
"""


def find_caddy() -> str:
    """Give the Caddy that CADDY names, or that is on PATH.

    Without one the test fails under CI, and is left out with a word elsewhere.
    """
    program = os.environ.get("CADDY") or shutil.which("caddy")
    if program is None:
        sentence = "no Caddy: install the package caddy, or name it with CADDY=…"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return program


@contextmanager
def caddy_before(platform: Platform, folder: Path) -> Iterator[None]:
    """Let Caddy listen where the platform's nginx did, until the block ends."""
    program = find_caddy()
    (folder / "Caddyfile").write_text(_configuration(platform))
    platform.nginx.stop()
    log = folder / "caddy.log"
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                [program, "run", "--config", "Caddyfile", "--adapter", "caddyfile"],
                cwd=folder,
                env={**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
                stdout=output,
                stderr=output,
            )
        try:
            _await(process, platform.port, log)
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_SECONDS)
            process.kill()
    finally:
        platform.nginx.start()


def _configuration(platform: Platform) -> str:
    shipped = SHIPPED.read_text()
    gate = f"forward_auth 127.0.0.1:{platform.gate.port}"
    assert "forward_auth 127.0.0.1:8000" in shipped
    shipped = shipped.replace("forward_auth 127.0.0.1:8000", gate)
    shipped = shipped.replace("127.0.0.1:8000", f"127.0.0.1:{platform.service.port}")
    what = {"identity": "openbadges-service"}
    for name in ("wiki", "evil"):
        what[name] = f"openbadges-application {name} 127.0.0.1:{platform.applications[name].port}"
    certificates = platform.authority.parent / "live"
    options = "{\n    admin off\n    auto_https off\n}\n"
    sites = [
        _SITE.format(host=HOSTS[name], port=platform.port, certificates=certificates, what=one)
        for name, one in what.items()
    ]
    return options + shipped + "".join(sites)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up_at = time.monotonic() + _SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < give_up_at, log.read_text()
        time.sleep(0.05)
