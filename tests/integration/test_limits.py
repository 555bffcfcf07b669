"""What is too much, malformed or nowhere, and what a failure gives away (A2, A18).

ASVS 2.2.1, 2.2.2, 4.1.4, 13.4.4, 15.3.7, 16.5.1 to 16.5.4.
"""

import io
import json
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.clients import Browser, InProcessBrowser
from tests.support.outages import database_away
from tests.support.people import (
    SESSION_COOKIE,
    hand_over,
    is_signed_in,
    json_of,
    refusal,
    sign_up,
    token_of,
)
from tests.support.variables import ORIGIN

OPTIONS = "/api/auth/authentication/options"
FINISH = "/api/auth/authentication"
LARGEST = 64 * 1024
CANARY = "canary-4711"


def post_text(client: Browser, text: str | bytes, path: str = FINISH) -> TestResponse:
    return client.post(path, data=text, content_type="application/json")


def test_body_of_64_kib_is_read_and_one_more_byte_is_not(client: Browser) -> None:
    """WA-X3."""
    assert post_text(client, "{}" + " " * (LARGEST - 2), OPTIONS).status_code == 200

    assert refusal(post_text(client, "{}" + " " * (LARGEST - 1), OPTIONS)) == (413, "too_large")


@pytest.mark.parametrize(
    ("size", "status"), [(LARGEST - 1, 200), (LARGEST, 413), (LARGEST * 9, 413)]
)
def test_body_that_does_not_tell_its_length_is_limited_and_not_cut(
    client: Browser, size: int, status: int
) -> None:
    """Else what stands behind the limit would be left out, and the rest taken for the whole."""
    body = io.BytesIO(b"{}" + b" " * (size - 3) + b"x" if status == 413 else b"{}".ljust(size))

    answer = client.post(
        OPTIONS,
        input_stream=body,
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )

    assert answer.status_code == status


@pytest.mark.parametrize("path", ["/api/auth/session", "/api/auth/sessions"])
def test_body_that_nobody_expects_is_limited_too(client: Browser, path: str) -> None:
    sign_up(client)

    answer = client.delete(path, data=b" " * (LARGEST + 1), content_type="application/json")

    assert refusal(answer) == (413, "too_large")
    assert is_signed_in(client)


MALFORMED = {
    "cut": '{"credential": {',
    "not JSON": "credential=x",
    "duplicate names": '{"credential": {}, "credential": {}}',
    "duplicate names inside": '{"credential": {"id": "a", "id": "b"}}',
    "NaN": '{"credential": {"a": NaN}}',
    "infinity": '{"credential": {"a": -Infinity}}',
    "a number too large": '{"credential": {"a": 1e999}}',
    "a number of many digits": '{"credential": {"a": ' + "9" * 5000 + "}}",
    "a lone surrogate": '{"credential": {"a": "\\ud800"}}',
    "a lone surrogate as a name": '{"credential": {"\\udfff": 1}}',
    "NUL": '{"credential": {"a": "\\u0000"}}',
    "17 levels": '{"credential": ' + "[" * 16 + "]" * 16 + "}",
    "a hundred thousand levels": "[" * 32_000 + "]" * 32_000,
    "UTF-16": '{"credential": {}}'.encode("utf-16"),
    "a byte-order mark": b"\xef\xbb\xbf{}",
    "not UTF-8": b'{"credential": {"a": "\xff"}}',
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_malformed_body_is_refused(client: Browser, text: str | bytes) -> None:
    assert refusal(post_text(client, text)) == (400, "malformed_request")


@pytest.mark.parametrize("text", ["[]", "null", '"text"', "1", "true"])
def test_body_that_is_no_object_is_refused(client: Browser, text: str) -> None:
    assert refusal(post_text(client, text)) == (422, "invalid_body")


def test_well_formed_body_comes_as_far_as_the_challenge(client: Browser) -> None:
    deep = '{"credential": {"a": ' + "[" * 14 + "1.5e300" + "]" * 14 + "}}"

    assert refusal(post_text(client, deep)) == (400, "challenge_unusable")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None]
)
def test_body_of_another_type_is_refused(client: Browser, content_type: str | None) -> None:
    answer = client.post(OPTIONS, data=b"{}", content_type=content_type)

    assert refusal(answer) == (415, "unsupported_content_type")
    for honest in ("application/json", "application/json; charset=utf-8", "Application/JSON"):
        assert client.post(OPTIONS, data=b"{}", content_type=honest).status_code == 200


def test_fault_names_the_field_and_repeats_no_input(client: Browser) -> None:
    body = {"email": CANARY * 40, "name": 7, "role": CANARY, "invitation": [CANARY]}

    answer = client.post("/api/auth/registration/options", json=body)

    assert refusal(answer) == (422, "invalid_body")
    assert {fault["field"] for fault in json_of(answer)["errors"]} == set(body)
    assert CANARY not in answer.text


def test_answer_to_many_faults_stays_small(client: Browser) -> None:
    body = {f"{number}-{'x' * 200}": 1 for number in range(300)}

    answer = client.post(OPTIONS, json=body)

    assert refusal(answer) == (422, "invalid_body")
    assert len(json_of(answer)["errors"]) == 20
    assert len(answer.data) < 5000


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=1&limit=2", "limit"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("after=x", "after"),
        ("after=" + "%00" * 36, "after"),
        ("after=" + "x" * 5000, "after"),
        ("offset=10", "offset"),
    ],
)
@pytest.mark.parametrize("path", ["/api/auth/sessions", "/api/auth/credentials"])
def test_query_is_read_strictly(client: Browser, path: str, query: str, field: str) -> None:
    """GHSA-r9w3-57w2-gch2: a page token is an id or it is refused."""
    sign_up(client)

    answer = client.get(f"{path}?{query}")

    assert refusal(answer) == (422, "invalid_body")
    assert {fault["field"] for fault in json_of(answer)["errors"]} == {field}
    assert client.get(f"{path}?limit=100").status_code == 200


@pytest.mark.parametrize(
    "id", ["x", "%00", "x" * 5000, "%ed%a0%80", "0" * 36, "01A20C2D-4B2F-78F5-B512-AB0B4A7D2554"]
)
@pytest.mark.parametrize("noun", ["sessions", "credentials"])
def test_what_cannot_be_an_id_is_nowhere(client: Browser, noun: str, id: str) -> None:  # noqa: A002
    person = sign_up(client)
    (mine,) = json_of(client.get(f"/api/auth/{noun}"))["items"]

    assert refusal(client.delete(f"/api/auth/{noun}/{id}")) == (404, "not_found")

    # The one passkey may not be removed, and that is known of it.
    honest = client.delete(f"/api/auth/{noun}/{mine['id']}")
    assert honest.status_code == (204 if noun == "sessions" else 409)
    assert person.user["name"] == "Ada"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/auth/session", {"DELETE", "GET", "HEAD", "OPTIONS"}),
        ("/api/auth/registration", {"POST", "OPTIONS"}),
        ("/sign-in", {"GET", "HEAD", "OPTIONS"}),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "TRACE", "PROPFIND"])
def test_other_methods_are_told_which_are_allowed(
    client: Browser, path: str, allowed: set[str], method: str
) -> None:
    answer = client.open(path, method=method)

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    "path",
    ["/api/nothing", "/api/auth/session/", "//api/auth/session", "/api//auth/session", "/api/"],
)
def test_path_of_the_api_is_exact(client: Browser, path: str) -> None:
    """GHSA-x732-6j76-qmhm."""
    answer = client.get(path, base_url=ORIGIN)

    assert answer.status_code == 404
    assert answer.location is None


def test_people_are_told_in_a_page_and_programs_in_a_problem(client: Browser) -> None:
    page, problem = client.get("/nothing"), client.get("/api/nothing")

    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "There is nothing at this address." in page.text
    assert json_of(problem) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing at this address.",
        "code": "not_found",
    }


@pytest.mark.parametrize("path", ["/crash", "/api/crash"])
def test_crash_gives_nothing_away(make_app: Callable[..., Flask], path: str) -> None:
    app = make_app()

    @app.get("/crash")
    @app.get("/api/crash")
    def crash() -> str:
        raise RuntimeError(CANARY)

    answer = InProcessBrowser(app).get(path)

    assert answer.status_code == 500
    assert "Something went wrong here. It has been noted." in answer.text
    assert not [
        word for word in (CANARY, "RuntimeError", "Traceback", ".py") if word in answer.text
    ]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/auth/session"),
        ("GET", "/account"),
        ("GET", "/sign-in"),
        ("POST", OPTIONS),
        ("PATCH", "/api/users/me"),
        ("DELETE", "/api/auth/session"),
        ("GET", "/readyz"),
    ],
)
def test_database_away_is_503_and_harms_no_worker(
    app: Flask, client: Browser, new_client: Callable[[], Browser], method: str, path: str
) -> None:
    """CVE-2026-73421: a failure lets nobody in."""
    sign_up(client)
    body = json.dumps({"name": "Eve"} if method == "PATCH" else {}) if method != "GET" else None

    with database_away(app):
        browser = hand_over(new_client(), token_of(client))
        answer = browser.open(path, method=method, data=body, content_type="application/json")
        assert browser.get("/healthz").status_code == 200

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert "The service cannot reach its database at the moment." in answer.text
    assert answer.mimetype == (
        "text/html" if "/api/" not in path and path != "/readyz" else "application/problem+json"
    )
    assert SESSION_COOKIE not in str(answer.headers.getlist("Set-Cookie"))
    assert is_signed_in(client)
