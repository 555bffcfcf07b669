"""The headers of every answer.

ASVS 3.2.1, 3.4.1 to 3.4.6, 3.4.8, 3.5.8, 4.1.1, 14.2.2, 14.3.1, 14.3.2; CVE-2023-30861 and
CVE-2026-27205.
"""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.wrappers import Response

from tests.support.clients import Browser, InProcessBrowser
from tests.support.databases import ScratchDatabases
from tests.support.outages import database_away
from tests.support.people import sign_up
from tests.support.production import secure_browser, services
from tests.support.story import tell_story

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "publickey-credentials-get=(self), publickey-credentials-create=(self),"
    " camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
API_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"

ANSWERS: dict[str, tuple[str, str, int]] = {
    "a page": ("GET", "/sign-in", 200),
    "a page that leads elsewhere": ("GET", "/account", 303),
    "an error page": ("GET", "/nothing-here", 404),
    "a page that takes no POST": ("POST", "/sign-in", 405),
    "an answer of the API": ("GET", "/healthz", 200),
    "the reference": ("GET", "/openapi.json", 200),
    "401": ("GET", "/api/auth/session", 401),
    "404": ("GET", "/api/nothing-here", 404),
    "405": ("PUT", "/api/auth/session", 405),
    "422": ("POST", "/api/auth/registration/options", 422),
    "no content": ("DELETE", "/api/auth/session", 204),
    "options": ("OPTIONS", "/api/auth/session", 200),
    "a file": ("GET", "/static/identity.css", 200),
    "a script": ("GET", "/static/identity.js", 200),
    "no file": ("GET", "/static/nothing-here", 404),
    "not out of the folder": ("GET", "/static/../__init__.py", 404),
}


def require_baseline(answer: Response) -> None:
    """Require what every answer has, whatever it is."""
    headers = answer.headers
    assert {name: headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    for_people = answer.mimetype in {"text/html", "text/css", "text/javascript", "image/svg+xml"}
    assert headers["Content-Security-Policy"] == (PAGE_POLICY if for_people else API_POLICY)
    assert "Cookie" in {name.strip() for name in headers["Vary"].split(",")}
    assert len(headers["X-Request-Id"]) == 36
    is_file = answer.mimetype in {"text/css", "text/javascript", "image/svg+xml"}
    assert headers["Cache-Control"] == ("no-cache" if is_file else "no-store")
    assert not {name for name, _ in headers if name.startswith("Access-Control-")}
    if answer.data:
        charset = "" if "json" in str(answer.mimetype) else "; charset=utf-8"
        assert headers["Content-Type"] in {f"{answer.mimetype}{charset}", "image/svg+xml"}


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS.values(), ids=ANSWERS)
def test_answer_has_the_baseline(client: Browser, method: str, path: str, status: int) -> None:
    with client.open(path, method=method) as answer:
        assert answer.status_code == status
        require_baseline(answer)
        assert "Strict-Transport-Security" not in answer.headers


def test_every_answer_of_a_session_has_the_baseline(new_client: Callable[[], Browser]) -> None:
    for _, answer in tell_story(new_client):
        require_baseline(answer)


def test_refusals_before_the_route_have_the_baseline(app: Flask, client: Browser) -> None:
    client.sec_fetch_site = "cross-site"
    cookieless = InProcessBrowser(app, use_cookies=False)
    refused = {
        403: client.post("/api/auth/authentication/options", json={}),
        421: client.get("/api/auth/session", base_url="http://127.0.0.1:8000"),
        400: cookieless.get("/account", headers={"Cookie": "openbadges_session_8000=x"}),
    }

    for status, answer in refused.items():
        assert answer.status_code == status
        require_baseline(answer)


@pytest.mark.parametrize("path", ["/api/auth/session", "/account"])
def test_answer_without_a_database_has_the_baseline(app: Flask, client: Browser, path: str) -> None:
    sign_up(client)

    with database_away(app):
        answer = client.get(path)

    assert answer.status_code == 503
    require_baseline(answer)


@pytest.fixture
def production(scratch_database: ScratchDatabases) -> Iterator[Flask]:
    with services(scratch_database) as make:
        yield make()


@pytest.mark.parametrize("path", ["/sign-in", "/api/users/me", "/static/mark.svg", "/nothing"])
def test_https_is_asked_for_in_production(production: Flask, path: str) -> None:
    with secure_browser(production).get(path) as answer:
        require_baseline(answer)
        hsts = answer.headers["Strict-Transport-Security"]

    assert hsts == "max-age=63072000; includeSubDomains"


def test_sign_out_clears_what_the_browser_kept(client: Browser) -> None:
    sign_up(client)

    answer = client.delete("/api/auth/session")

    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'


def test_nothing_else_clears_what_the_browser_kept(new_client: Callable[[], Browser]) -> None:
    clearing = {
        label for label, answer in tell_story(new_client) if "Clear-Site-Data" in answer.headers
    }

    assert clearing == {
        "auth.sign_out",
        "handover.sign_out_here",
        "handover.sign_out_everywhere",
    }


def test_401_names_a_scheme(client: Browser) -> None:
    assert client.get("/api/users/me").headers["WWW-Authenticate"] == "Session"

    sign_up(client)
    assert "WWW-Authenticate" not in client.get("/api/users/me").headers


@pytest.mark.parametrize(
    ("proxies", "given", "is_taken"),
    [
        ("1", "0123abcd-proxy.7_x", True),
        ("0", "0123abcd-proxy.7_x", False),
        ("1", "short", False),
        ("1", "x" * 65, False),
        ("1", 'forged" id', False),
    ],
)
def test_request_id_is_taken_from_a_proxy_alone(
    scratch_database: ScratchDatabases,
    proxies: str,
    given: str,
    is_taken: bool,  # noqa: FBT001
) -> None:
    with services(scratch_database) as make:
        client = secure_browser(make(TRUSTED_PROXIES=proxies))

        answer = client.get("/healthz", headers={"X-Request-Id": given})

    assert (answer.headers["X-Request-Id"] == given) is is_taken
