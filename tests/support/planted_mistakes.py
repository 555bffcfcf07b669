"""A secret where it does not belong: what people paste, and what programs send by mistake."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.support.variables import ORIGIN

_API = "/api/auth/session"
_RECOVERY = "/api/auth/recovery"
_SIGN_UP = "/api/auth/registration/options"
_HOST = ORIGIN.removeprefix("http://")
PATIENCE_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A request that carries a secret where nobody expects one, and how it is answered."""

    path: str
    method: str = "GET"
    options: dict[str, Any] = field(default_factory=dict)
    status: int


def mistakes(secret: str) -> Iterator[Mistake]:
    """Give every mistake with this secret."""
    yield from _in_the_address(secret)
    yield from _in_headers(secret)
    yield from _in_bodies(secret)


def _in_the_address(secret: str) -> Iterator[Mistake]:
    for path in ("/api/auth/recovery/", "/sign-up/", "/static/", "/api/auth/sessions/", "/"):
        yield Mistake(path=f"{path}{secret}", status=404)
    yield Mistake(path="/api/x/" + "".join(f"%{byte:02x}" for byte in secret.encode()), status=404)
    yield Mistake(path=f"{_RECOVERY}?code={secret}", status=405)
    yield Mistake(path=f"/nowhere?code={secret}", status=404)
    for page in ("sign-up?invitation", "recovery?code", "sign-in?token", "?token"):
        yield Mistake(path=f"/{page}={secret}", status=200 if page[0] != "?" else 302)
    callback = "/api/oauth/github/callback"
    yield Mistake(path=f"{callback}?code={secret}&state={secret}&iss={secret}", status=303)
    yield Mistake(path=f"{callback}?error={secret}&error_description={secret}", status=303)
    yield Mistake(path=f"{callback}?code={secret}&state={secret}", method="HEAD", status=405)
    yield Mistake(path=f"/api/oauth/{secret}/callback?code={secret}", status=404)
    yield Mistake(path=f"/sign-in/refused?code={secret}&provider={secret}", status=404)
    yield Mistake(path=f"{_API}?access_token={secret}", status=401)
    yield Mistake(path=f"/readyz?key={secret}", status=200)


def _in_headers(secret: str) -> Iterator[Mistake]:
    for header in (
        f"Authorization: Bearer {secret}",
        f"Authorization: {secret}",
        f"X-Api-Key: {secret}",
        f"X-Request-Id: {secret}",
        f"Referer: {ORIGIN}/recovery?code={secret}",
        f"User-Agent: curl/8 ({secret})",
        f"Accept-Language: {secret}",
        f"Cookie: other={secret}",
        f"X-Forwarded-For: {secret}",
    ):
        yield Mistake(path=_API, options={"headers": dict([header.split(": ")])}, status=401)
    for cookie in (f"{secret}~", f"x; openbadges_session_8000={secret}", f'"{secret}"'):
        headers = {"Cookie": f"openbadges_session_8000={cookie}"}
        yield Mistake(path=_API, options={"headers": headers}, status=400)
    for headers, status in (
        ({"Host": "elsewhere.example", "Cookie": f"other={secret}"}, 421),
        ({"Origin": f"https://evil.example/{secret}"}, 403),
    ):
        yield Mistake(path=_RECOVERY, method="POST", options={"headers": headers}, status=status)


def _in_bodies(secret: str) -> Iterator[Mistake]:
    person = {"email": "eve@example.org", "name": "Eve"}
    response = {"clientDataJSON": secret, "signature": secret}
    for path, body, status in (
        (_RECOVERY, {"token": secret}, 422),
        (_RECOVERY, {"code": "x", "password": secret, "note": [{"deep": secret}]}, 422),
        (_RECOVERY, {"code": {"value": secret}}, 422),
        (_RECOVERY, {"code": secret * 9}, 422),
        (_RECOVERY, [secret], 422),
        (_SIGN_UP, {**person, "email": secret}, 422),
        (_SIGN_UP, {**person, "invitation": f"{secret} "}, 403),
        (_SIGN_UP, {**person, "role": secret}, 422),
        ("/api/auth/authentication", {"credential": secret}, 422),
        ("/api/auth/authentication", {"credential": {"id": secret, "response": response}}, 400),
        ("/api/auth/registration", {"credential": {"id": secret, "response": response}}, 400),
        (_API, {"token": secret}, 405),
        ("/api/auth/recovery-codes", {"code": secret}, 401),
    ):
        yield Mistake(path=path, method="POST", options={"json": body}, status=status)
    for data, kind, status in (
        (f'{{"code": "{secret}"', "application/json", 400),
        (f'{{"code": "{secret}", "code": "{secret}"}}', "application/json", 400),
        (f'{"[" * 50}"{secret}"{"]" * 50}', "application/json", 400),
        (f'{{"code": "{secret}\0"}}', "application/json", 400),
        (f"code={secret}", "application/x-www-form-urlencoded", 415),
        (f"code={quote(secret)}", "text/plain", 415),
        (f'{{"code": "{secret * 3000}"}}', "application/json", 413),
    ):
        options = {"data": data.encode(), "content_type": kind}
        yield Mistake(path=_RECOVERY, method="POST", options=options, status=status)


def unreadable_requests(secret: str) -> Iterator[tuple[bytes, bytes]]:
    """Give requests that are hardly HTTP, and how each answer begins; some get none."""
    good = f"GET / HTTP/1.1\r\nHost: {_HOST}\r\n"
    body = f"POST {_RECOVERY} HTTP/1.1\r\nHost: {_HOST}\r\nContent-Type: application/json\r\n"
    chunks = f"{body}Transfer-Encoding: chunked\r\n\r\n"
    for status, request in (
        (400, f"GET /recovery?code={secret} for Ada HTTP/1.1\r\n\r\n"),
        (400, f"GET /recovery?code={secret}\r\n\r\n"),
        (400, f"GET / HTTP/{secret}\r\n\r\n"),
        (400, f"{secret} / HTTP/1.1\r\n\r\n"),
        (414, f"GET /{secret * 200} HTTP/1.1\r\n\r\n"),
        (400, f"{good}Authorization Bearer {secret}\r\n\r\n"),
        (400, f"{good}Bearer {secret}: yes\r\n\r\n"),
        (400, f"{good}Cookie: a=b;\r\n c={secret}\r\n\r\n"),
        (400, f"{good}Cookie: {secret}\x01\r\n\r\n"),
        (431, f"{good}Cookie: {secret * 400}\r\n\r\n"),
        (417, f"{good}Expect: {secret}\r\n\r\n"),
        (0, f"{good}Cookie: a={secret}\r\n"),
        (400, f"{body}Content-Length: 999\r\n\r\n{secret}"),
        (400, f"{body}Content-Length: {secret}\r\n\r\n"),
        (501, f"{body}Transfer-Encoding: {secret}\r\n\r\n"),
        (400, f"{chunks}{secret}\r\n\r\n"),
        (400, f"{chunks}3\r\nabc{secret}\r\n\r\n"),
        (400, f"{chunks}999\r\n{secret}"),
    ):
        yield request.encode(), f"HTTP/1.1 {status}".encode() if status else b""


def send(port: int, request: bytes) -> bytes:
    """Send bytes as they are, end them there, and give all that is answered."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        while received := connection.recv(65536):
            answer += received
    return answer
