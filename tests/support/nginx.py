"""A real nginx for a test: on loopback, without a right of its own, in a folder of its own."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.servers import ROOT

SHIPPED = ROOT / "deploy" / "nginx"
_SECONDS = 10
_MAIN = """\
daemon off;
worker_processes 1;
{user}pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 1024; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/temp/body;
    proxy_temp_path {folder}/temp/proxy;
    fastcgi_temp_path {folder}/temp/fastcgi;
    uwsgi_temp_path {folder}/temp/uwsgi;
    scgi_temp_path {folder}/temp/scgi;
    include conf.d/*.conf;
}}
"""


def find_nginx() -> str:
    """Give the nginx that NGINX_PROGRAM names, or that is on PATH.

    Without one the test fails under CI, and is left out with a word elsewhere.
    """
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    program = os.environ.get("NGINX_PROGRAM") or shutil.which("nginx", path=path)
    if program is None:
        sentence = "no nginx: install the package nginx-light, or name it with NGINX_PROGRAM=…"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return program


class Nginx:
    """Runs the files that are shipped, and those that a test puts beside them."""

    def __init__(self, folder: Path, sites: Mapping[str, str]) -> None:
        """Lay out the folder as /etc/nginx is; ``sites`` are files of conf.d by name."""
        self._program = find_nginx()
        self.folder = folder
        shutil.copytree(SHIPPED / "openbadges", folder / "openbadges")
        (folder / "temp").mkdir()
        (folder / "conf.d").mkdir()
        user = "user root;\n" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, user=user))
        for name, text in sites.items():
            (folder / "conf.d" / name).write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def check(self) -> str:
        """Let nginx read its configuration, and give what it says: nothing where all is well.

        Raises ``AssertionError`` where it would not start.
        """
        done = subprocess.run(
            [*self._command(), "-t", "-q"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    def start(self) -> None:
        """Start, and wait until it listens."""
        self.check()
        # A check leaves one as well.
        number = self.folder / "nginx.pid"
        number.unlink(missing_ok=True)
        with (self.folder / "output.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), stdout=log, stderr=log, start_new_session=True
            )
        give_up_at = time.monotonic() + _SECONDS
        # It writes its number once its sockets are open.
        while not number.exists():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < give_up_at, self.log()
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop at once; a start may follow."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_SECONDS)
        self._process.kill()
        self._process = None

    def log(self) -> str:
        """Give what it has complained of."""
        return "".join(
            file.read_text(errors="replace")
            for name in ("output.log", "error.log")
            if (file := self.folder / name).exists()
        )

    def _command(self) -> list[str]:
        return [self._program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]
