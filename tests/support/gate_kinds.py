"""A thousand kinds of request to the session gate's two paths, the same ones for the same seed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

from app.services.tokens import new_session_token
from tests.support.gate_cast import GOOD_FOR_THE_SERVICE, VAULT, WIKI, Cast
from tests.support.people import BROWSER_COOKIE, SESSION_COOKIE
from tests.support.raw_requests import HOST, Header, Request
from tests.support.variables import ORIGIN

_VERIFY, _SESSION = "/api/auth/verify", "/api/auth/session"
_APPLICATIONS = ("wiki", "vault", "notes", "tools", "nowhere")
_BROWSER = "A" * 43
_BENT = ("", "x", "obs_", "obs_%s", '"{}"', " {} ", "{}x", "{}=", "x{}", "é{}", "%7B{}", "{},{}")
_QUERIES = """
    app=wiki&app=wiki role=user&role=user&app=wiki app= role= group= redirect= x=1 app=wiki&x=1
    redirect=2 redirect=1&redirect=1 App=wiki app%5B%5D=wiki & && app=wiki& app =wiki
    app=wiki;role=user app=%00 app=wiki%00 app=%ff app=%c3%28 app=%zz app=%ED%A0%80
    app=%F0%9F%98%80 group=%00 role=%00 role=%0d%0aX:1 app=+wiki app=wiki+ app=WIKI
    app=' app=wiki%27-- app=%25 role=%61dmin a%70p=wiki
"""
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "", "CONNECT")
_SITES = ("same-origin", "same-site", "cross-site", "none", "", "Cross-Site")
_ORIGINS = (ORIGIN, WIKI, VAULT, "https://wiki.example.org", "null", "https://evil.example", "")
_HOSTS = ("LOCALHOST:8000", "localhost", "localhost:8001", "evil.example", "", "wiki.example.test")
_TARGETS = (
    "/",
    "/a%20b?c=d&e=%26",
    "//evil.example/",
    "/\\evil",
    "/x\xe9",
    "https://evil.example/",
)


@dataclass(frozen=True, kw_only=True)
class Kinds:
    """Draws requests; who asks is drawn from the cast."""

    cast: Cast
    chance: Random

    def draw(self, number: int) -> Iterator[Request]:
        """Draw so many requests, no two alike: first of everybody for every application."""
        seen: set[bytes] = set()
        for request in self.plain():
            seen.add(request.encoded())
            yield request
        while len(seen) < number:
            request = self.one()
            if (encoded := request.encoded()) not in seen:
                seen.add(encoded)
                yield request

    def plain(self) -> Iterator[Request]:
        for token in self.cast.tokens.values():
            cookie = (b"Cookie", f"{SESSION_COOKIE}={token}".encode())
            yield Request(target=_SESSION.encode(), headers=[cookie])
            for query in ("", *(f"?app={one}" for one in _APPLICATIONS)):
                yield Request(target=f"{_VERIFY}{query}".encode(), headers=[cookie])

    def one(self) -> Request:
        is_check = self.sometimes(0.7)
        path = _VERIFY if is_check else _SESSION
        query = self.query() if is_check or self.sometimes(0.1) else ""
        if self.sometimes(0.03):
            path = self.chance.choice((path + "/", "/" + path, path.upper(), path + "%2f", "/x"))
        headers: list[Header] = [
            (name.encode(), value.encode("latin-1"))
            for name, value in self.headers(is_check=is_check)
        ]
        return Request(
            method=self.method(),
            target=(path + (f"?{query}" if query or self.sometimes(0.02) else "")).encode(),
            headers=headers,
            body=b"{}" if self.sometimes(0.04) else b"",
        )

    def method(self) -> str:
        if self.sometimes(0.9):
            return self.chance.choice(("GET", "GET", "GET", "HEAD"))
        return self.chance.choice(("POST", "OPTIONS", "PUT", "DELETE", "PATCH", "BREW"))

    def query(self) -> str:
        if self.sometimes(0.15):
            return self.chance.choice(_QUERIES.split())
        asked: dict[str, str] = {}
        if self.sometimes(0.6):
            asked["app"] = self.chance.choice(_APPLICATIONS)
        if self.sometimes(0.15):
            asked["role"] = self.chance.choice(("user", "admin", "owner", "Admin"))
        if self.sometimes(0.15):
            asked["group"] = self.chance.choice(("staff", "ops", "nobody", "é"))
        if self.sometimes(0.35):
            asked["redirect"] = self.chance.choice(("1", "1", "1", "0"))
        names = list(asked)
        self.chance.shuffle(names)
        return "&".join(f"{name}={quote(asked[name])}" for name in names)

    def headers(self, *, is_check: bool) -> Iterator[tuple[str, str]]:
        if cookies := self.cookies():
            yield "Cookie", "; ".join(cookies)
        if self.sometimes(0.12):
            yield "Host", self.chance.choice(_HOSTS)
        if is_check:
            yield from self.forwarded()
        if self.sometimes(0.03):
            yield "Transfer-Encoding", self.chance.choice(("chunked", "gzip"))
        if self.sometimes(0.03):
            yield "X-Auth-User-Id", "somebody"

    def forwarded(self) -> Iterator[tuple[str, str]]:
        """Say what a proxy, or a browser through it, says of the original request."""
        if self.sometimes(0.5):
            yield "X-Forwarded-Method", self.chance.choice(_METHODS)
        if self.sometimes(0.35):
            yield "Sec-Fetch-Site", self.chance.choice(_SITES)
        if self.sometimes(0.3):
            yield "Origin", self.chance.choice(_ORIGINS)
        if self.sometimes(0.08):
            yield "Upgrade", "websocket"
            yield "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="
        if self.sometimes(0.3):
            yield "Sec-Fetch-Mode", self.chance.choice(("navigate", "navigate", "cors"))
            yield "Sec-Fetch-Dest", self.chance.choice(("document", "document", "iframe"))
        elif self.sometimes(0.4):
            yield "Accept", self.chance.choice(("text/html,*/*", "*/*"))
        if self.sometimes(0.3):
            yield "X-Forwarded-Uri", self.chance.choice(_TARGETS)
        if self.sometimes(0.3):
            hosts = ("wiki.example.test", "wiki.example.org", "evil.example", HOST)
            yield "X-Forwarded-Host", self.chance.choice(hosts)

    def cookies(self) -> list[str]:
        """Say who asks, in a way in which a browser may, and now and then in another."""
        found = ["other=1"] if self.sometimes(0.2) else []
        if self.sometimes(0.88):
            found.append(f"{SESSION_COOKIE}={self.token()}")
        if self.sometimes(0.04):
            found.append(f"{SESSION_COOKIE}={self.token()}")
        if self.sometimes(0.02):
            found.append(SESSION_COOKIE)
        if self.sometimes(0.15):
            found.append(f"{BROWSER_COOKIE}={_BROWSER if self.sometimes(0.7) else 'odd'}")
        if self.sometimes(0.02):
            found.append(f"{BROWSER_COOKIE}={_BROWSER}")
        self.chance.shuffle(found)
        return found

    def token(self) -> str:
        tokens: Mapping[str, str] = self.cast.tokens
        if self.sometimes(0.1):
            bent = self.chance.choice(_BENT)
            return bent.replace("{}", tokens["member"])
        if self.sometimes(0.06):
            return new_session_token()
        whose = GOOD_FOR_THE_SERVICE if self.sometimes(0.45) else tuple(tokens)
        return tokens[self.chance.choice(whose)]

    def sometimes(self, share: float) -> bool:
        return self.chance.random() < share
