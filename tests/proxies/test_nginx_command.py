"""``flask apps nginx``: what it prints is what nginx runs."""

import re
from pathlib import Path

import pytest
from flask import Flask

from tests.support.authorities import Authority
from tests.support.nginx import SHIPPED, Nginx
from tests.support.servers import free_port

WIKI = ["--name", "The wiki", "--origin", "https://wiki.example.org"]
KINDS = {
    "one origin": WIKI,
    "several origins": [
        *(*WIKI, "--origin", "https://wiki.example.com:8443", "--origin", "http://wiki.localhost"),
    ],
    "its own headers": [
        *(*WIKI, "--header", "user_id=Remote-User", "--header", "email=X-Auth-Name"),
        *("--header", "name=X-Webauth-Name", "--header", "groups=auth-groups-of-mine"),
    ],
    "a name in another script": ["--name", "ウィキ; } # {{ 1 }}", *WIKI[2:]],
    "a path of the service's own host": ["--name", "Handbook", "--origin", "http://localhost:8000"],
}


def run(app: Flask, *command: str) -> str:
    done = app.test_cli_runner().invoke(args=["apps", *command])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_nginx_takes_what_is_printed(app: Flask, tmp_path: Path, options: list[str]) -> None:
    run(app, "add", "my-wiki", *options)
    folder = Authority(tmp_path).certify(["wiki.example.org", "wiki.example.com"])

    site = run(app, "nginx", "my-wiki", "--certificates", str(folder), "--listen", "127.0.0.1")

    if "server {" not in site:
        site = f"server {{\n listen 127.0.0.1:8000;\n include openbadges/server.conf;\n{site}\n}}"
    # A check binds them, and these may be somebody's, or root's.
    site = re.sub(r"(?<=listen 127\.0\.0\.1:)\d+", lambda _: str(free_port()), site)
    upstreams = (SHIPPED / "openbadges.conf").read_text()
    (tmp_path / "nginx").mkdir()
    nginx = Nginx(tmp_path / "nginx", {"openbadges.conf": upstreams, "site.conf": site})
    assert nginx.check() == ""


def test_each_origin_has_a_server_that_asks_for_the_same_application(app: Flask) -> None:
    run(app, "add", "wiki", *KINDS["several origins"])

    site = run(app, "nginx", "wiki", "--to", "http://10.0.0.7:5000")

    for line in (
        *("listen 443 ssl http2;", "listen 8443 ssl http2;", "listen 80;"),
        *("server_name wiki.example.org;", "server_name wiki.example.com;"),
        "if ($http_host != wiki.example.com:8443) {",
        "ssl_certificate /etc/letsencrypt/live/wiki.example.com/fullchain.pem;",
    ):
        assert site.count(f" {line}\n") == 1, line
    assert site.count("verify?app=wiki;") == 3
    assert site.count("        proxy_pass http://10.0.0.7:5000;") == 3
    assert site.count("        auth_request /_openbadges_wiki;") == 3


def test_change_of_the_registry_changes_what_is_printed(app: Flask) -> None:
    run(app, "add", "wiki", *WIKI)
    assert "Remote-User" not in run(app, "nginx", "wiki")

    run(app, "change", "wiki", "--header", "user_id=Remote-User")

    assert "proxy_set_header Remote-User $openbadges_as_user_id;" in run(app, "nginx", "wiki")


@pytest.mark.parametrize(
    "options",
    [
        ("--to", "http://x; } server {"),
        ("--to", "http://$http_host"),
        ("--to", "http://x\n"),
        ("--listen", "1.2.3.4 default_server"),
        ("--certificates", "/etc/{x}"),
    ],
)
def test_what_would_end_a_directive_is_refused(app: Flask, options: tuple[str, str]) -> None:
    run(app, "add", "wiki", *WIKI)

    done = app.test_cli_runner().invoke(args=["apps", "nginx", "wiki", *options])

    assert (done.exit_code, done.stdout) == (2, "")
    assert "cannot stand in nginx's configuration" in done.stderr


def test_application_that_is_not_registered_is_named(app: Flask) -> None:
    done = app.test_cli_runner().invoke(args=["apps", "nginx", "wiki"])

    assert (done.exit_code, done.stdout) == (1, "")
    assert "There is no application 'wiki'" in done.stderr
