"""Through nginx's auth_request: the proxy and what it asks share one core."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.session_check.candidates import Answers, Candidate
from bench.session_check.catalogue import SQLITE
from bench.session_check.folders import SERVER_CORE
from bench.session_check.installs import find_program
from bench.session_check.launches import Launch
from bench.session_check.servers import Server, free_port, running, started, wait_until_it_answers
from bench.session_check.stores import Stores

# The same for everybody: the subrequest has a kept-alive connection and no body; the answer tells
# whom the proxy would name to the application.
_CONFIGURATION = """\
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000000;
    upstream asked {{
        server 127.0.0.1:{asked};
        keepalive 32;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port};
        location = /page {{
            auth_request /_check;
            auth_request_set $person $upstream_http_x_auth_email;
            add_header X-Person $person always;
            empty_gif;
        }}
        location = /_check {{
            internal;
            proxy_pass http://asked{path};
            proxy_method {method};
            proxy_http_version 1.1;
            proxy_pass_request_body off;
            proxy_set_header Connection "";
            proxy_set_header Content-Length "";
            proxy_set_header Host $host;
        }}
    }}
}}
"""


def _through(of: str, key: str, title: str, **changes: object) -> Candidate:
    found = next(one for one in SQLITE if one.key == of)
    return replace(found, key=key, title=title, **changes)  # type: ignore[arg-type]


_NAMED = Answers(accepted=204, person="header:X-Auth-Email")
PROXIED = (
    _through("gate-verify", "proxy-gate", "nginx with this service's gate", is_quick=True),
    _through("gate-hello", "proxy-hello", "nginx with a hello under the gate's server"),
    _through(
        "better-auth",
        "proxy-better-auth",
        "nginx with Better Auth, its HTTP handler",
        answers=_NAMED,
        environment={"BENCH_WAY": "handlerForProxy"},
    ),
    _through(
        "better-auth",
        "proxy-better-auth-get-session",
        "nginx with Better Auth, getSession",
        answers=_NAMED,
        environment={"BENCH_WAY": "getSessionForProxy"},
    ),
)


@contextmanager
def behind_nginx(candidate: Candidate, stores: Stores) -> Iterator[Server]:
    """Run a candidate and an nginx that asks it, both on one core. Raises ``Unavailable``."""
    nginx = find_program("nginx")
    store = stores.get(candidate.store)
    with (
        tempfile.TemporaryDirectory(prefix="openbadges-bench-nginx-") as folder,
        started(candidate, store) as asked,
    ):
        port = free_port()
        file = Path(folder) / "nginx.conf"
        values = {
            "folder": folder,
            "asked": asked.port,
            "port": port,
            "path": candidate.path,
            # As deploy/nginx ships it.
            "method": "GET" if candidate.peer else "HEAD",
        }
        file.write_text(_CONFIGURATION.format(**values))
        # As root its worker would become somebody who may not enter the folder.
        Path(folder).chmod(0o755)
        launch = Launch(
            command=[nginx, "-e", "stderr", "-c", str(file)], folder=Path(folder), environment={}
        )
        name = f"{candidate.key}-nginx"
        with running(launch, core=SERVER_CORE, name=name) as process:
            answers = replace(candidate.answers, accepted=200)
            if answers.person != "nowhere":
                answers = replace(answers, person="header:X-Person")
            seen = replace(candidate, path="/page", answers=answers)
            leaders = (process.pid, *asked.leaders)
            server = Server(candidate=seen, store=store, leaders=leaders, port=port)
            wait_until_it_answers(server, process)
            yield server
