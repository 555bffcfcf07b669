"""The configuration that a test's nginx runs: what `flask apps nginx` prints and what is shipped.

Host names are real ones of nobody, since cookies ignore ports.
"""

from collections.abc import Mapping
from pathlib import Path

from flask import Flask

from tests.support.nginx import SHIPPED
from tests.support.servers import free_port

HOSTS = {
    "identity": "id.example.test",
    "wiki": "app.example.test",
    "evil": "evil.example.test",
    "staff": "app.other.test",
}
"""By the application's id; `evil` is a sibling of the wiki whose owner means harm."""
HANDBOOK = "/handbook/"
"""The path of the identity host under which one more application is."""
REGISTERED = {
    "wiki": ["--name", "The wiki", "--origin", "{wiki}"],
    "evil": ["--name", "A sibling", "--origin", "{evil}"],
    "staff": [
        *("--name", "Staff only", "--origin", "{staff}", "--group", "staff"),
        *("--header", "user_id=Remote-User", "--header", "groups=Remote-Groups"),
    ],
    "handbook": ["--name", "The handbook", "--origin", "{identity}"],
}


def origins_at(port: int) -> dict[str, str]:
    return {name: f"https://{host}:{port}" for name, host in HOSTS.items()}


def register(app: Flask, port: int, certificates: Path) -> dict[str, str]:
    """Register the applications, and give what `flask apps nginx` prints for each."""
    origins, printed = origins_at(port), {}
    for name, options in REGISTERED.items():
        run_command(app, "apps", "add", name, *[one.format(**origins) for one in options])
        to = ["--to", f"http://{name}", "--listen", "127.0.0.1"]
        printed[name] = run_command(
            app, "apps", "nginx", name, *to, "--certificates", str(certificates)
        )
    return printed


def run_command(app: Flask, *command: str) -> str:
    done = app.test_cli_runner().invoke(args=command)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def sites(
    ports: tuple[int, int, int],
    applications: Mapping[str, int],
    printed: dict[str, str],
    certificates: Path,
) -> dict[str, str]:
    port, web_port, gate_port = ports
    locations = printed.pop("handbook")
    printed["wiki"] = _with_admin_pages(printed["wiki"])
    return {
        "a-openbadges.conf": _upstreams(web_port, gate_port) + _kept_alive(applications),
        "identity.conf": _identity_site(port, certificates, locations),
        "other-hosts.conf": _other_hosts(port),
        **{f"{name}.conf": site for name, site in printed.items()},
    }


def _upstreams(web_port: int, gate_port: int) -> str:
    """Give openbadges.conf as its comments say it has to be beside a gate."""
    text = (SHIPPED / "openbadges.conf").read_text()
    alone = "upstream openbadges_gate {\n    server 127.0.0.1:8000;\n"
    assert alone in text
    text = text.replace(alone, "upstream openbadges_gate {\n").replace(
        "    # server 127", "    server 127"
    )
    return text.replace("127.0.0.1:8000", f"127.0.0.1:{web_port}").replace(
        "127.0.0.1:8001", f"127.0.0.1:{gate_port}"
    )


def _kept_alive(applications: Mapping[str, int]) -> str:
    return "".join(
        f"upstream {name} {{ server 127.0.0.1:{port}; keepalive 4; }}\n"
        for name, port in applications.items()
    )


def _with_admin_pages(site: str) -> str:
    """Add what the comment shows, and a location that uses it."""
    lines = site.splitlines()
    first = next(
        i for i, line in enumerate(lines) if "# location = /_openbadges_wiki_admin" in line
    )
    for i in range(first, first + 6):
        lines[i] = lines[i].replace("# ", "", 1)
    admin = """\
    location /admin/ {
        auth_request /_openbadges_wiki_admin;
        include openbadges/application.conf;
        proxy_pass http://wiki;
    }"""
    lines.insert(first + 6, admin)
    return "\n".join(lines) + "\n"


def _identity_site(port: int, certificates: Path, locations: str) -> str:
    text = (SHIPPED / "id.example.org.conf").read_text()
    text = _on_loopback(text, port).replace("/etc/letsencrypt/live", str(certificates))
    text = text.replace("id.example.org", HOSTS["identity"])
    text = text.replace(f"!= {HOSTS['identity']}", f"!= {HOSTS['identity']}:{port}")
    end = text.rindex("}")
    return text[:end] + locations + text[end:]


def _other_hosts(port: int) -> str:
    return _on_loopback((SHIPPED / "other-hosts.conf").read_text(), port)


def _on_loopback(text: str, port: int) -> str:
    text = text.replace("listen 443", f"listen 127.0.0.1:{port}")
    return text.replace("listen 80 ", f"listen 127.0.0.1:{free_port()} ")
