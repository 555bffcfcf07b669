"""However a path is written, the same check stands before the application.

CVE-2026-34457, GHSA-x732-6j76-qmhm.
"""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.conftest import NewTally
from tests.support.platform_sites import HANDBOOK
from tests.support.platforms import Platform
from tests.support.tls_clients import Doors, Line, cookie
from tests.support.visitors import visit

# Paths that elsewhere need no session, and one that asks for a role.
_OPEN = ("healthz", "readyz", "ping", "static/x.css", "favicon.ico", "robots.txt", ".well-known/x")
_FORMS = (
    "/{}",
    "//{}",
    "/{}/",
    "/{}?x=/healthz",
    "/page?/{}",
    "/page;/{}",
    "/page/..;/{}",
    "/x/../{}",
    "/./{}",
    "/%2e/{}",
    "/x/%2e%2e/{}",
    "/x%2f..%2f{}",
    "/x/..%2f{}",
    "/%2f{}",
    "/{}%00",
    "/{}%20",
    "/{}%0a",
    "/{}%3fx",
    "/{}%23x",
    "/{}#x",
    "/{};x=y",
    "/{}/.",
    "/{}/..%3b/page",
    "/\\{}",
    "/%5c{}",
    "/.identity/../{}",
    "/.identity/%2e%2e/{}",
    "/.identity/..;/{}",
    "/.identity/..%2f{}",
    "/.identity/..%252f{}",
    "/.identity/%252e%252e/{}",
    "/.IDENTITY/{}",
    "/.identity{}",
    "/.%69dentity/{}",
    "/_openbadges_wiki/../{}",
    "/_OPENBADGES_WIKI/{}",
    "https://app.example.test/{}",
)
PATHS = [form.format(path) for form in _FORMS for path in _OPEN]
ADMIN = [
    *("/admin/", "/admin/x", "//admin/x", "/x/../admin/x", "/%61dmin/x", "/admin%2fx"),
    *("/./admin/x", "/admin/./x", "/admin//x", "/x/%2e%2e/admin/x", "/admin/;x", "/admin/x?y"),
]
"""All of them the admin's location, as nginx reads paths."""


@pytest.fixture
def line(doors: Doors, platform: Platform) -> Iterator[Line]:
    with closing(Line(doors, platform.host("wiki"))) as line:
        yield line


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
def test_no_path_reaches_the_application_without_a_session(
    platform: Platform, line: Line, new_tally: NewTally, method: str
) -> None:
    tally = new_tally("Proxies", "paths asked for without a session")
    body = b"x" if method == "POST" else None

    for path in PATHS:
        with tally.trial():
            reply = line.ask(path, method=method, body=body)
            assert not reply.header("x-answers"), path
            # The service itself says what its pages on this host can be asked.
            allowed = {200} if method == "OPTIONS" else set()
            assert reply.status in {400, 401, 404, 405, 415, 421} | allowed, (path, reply.status)
    assert not platform.applications["wiki"].requests


def test_honest_paths_arrive_as_they_were_written(platform: Platform, line: Line) -> None:
    token = visit(platform, "wiki").token("wiki")

    for path in ("/healthz", "/a//b", "/a%2fb?c=%2F", "/%d1%8f;v=1", "/x/../y", "/page?/healthz"):
        assert line.ask(path, cookie(token)).status == 200
        assert platform.applications["wiki"].last.target == path


def test_role_is_asked_for_however_the_path_is_written(
    platform: Platform, line: Line, new_tally: NewTally
) -> None:
    tally = new_tally("Proxies", "ways to write a path that asks for a role")
    user, admin = visit(platform, "wiki"), visit(platform, "wiki", role="admin")

    for path in ADMIN:
        with tally.trial():
            assert line.ask(path, cookie(user.token("wiki"))).status == 403, path
            assert not platform.applications["wiki"].requests, path
            assert line.ask(path, cookie(admin.token("wiki"))).status == 200, path
            platform.forget()


def test_paths_around_an_application_of_the_identity_host(
    platform: Platform, doors: Doors, new_tally: NewTally
) -> None:
    tally = new_tally("Proxies", "paths of the identity host asked for without a session")
    ada = visit(platform)
    name = HANDBOOK.strip("/")
    ways = [f"/x/..{HANDBOOK}y", f"/{HANDBOOK}y", f"/%68{name[1:]}/y", f"{HANDBOOK}../{name}/y"]
    with closing(Line(doors, platform.host("identity"))) as identity:
        for path in (*ways, f"/.identity/..{HANDBOOK}y", f"/{name}%2fy", f"/{name};/y"):
            with tally.trial():
                assert identity.ask(path).status in {401, 404}, path
        assert not platform.applications["handbook"].requests
        for path in ways:
            assert identity.ask(path, cookie(ada.root)).status == 200
            assert platform.applications["handbook"].last.one("X-Auth-User-Id") == ada.user_id
