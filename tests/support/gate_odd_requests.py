"""Requests to the session gate that must open nothing, as bytes, the same ones for the same seed.

Each comes without a good session, or with one and a requirement that its person does not meet.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from app.services.tokens import new_session_token
from tests.support.people import SESSION_COOKIE
from tests.support.raw_requests import HOST

_CHECK = b"/api/auth/verify"
_NAME = SESSION_COOKIE.encode()
_METHODS = (
    b"OPTIONS POST PUT PATCH DELETE TRACE PROPFIND get GeT BREW XXXXXXXXXXXXXXXXXXXXXXXXX".split()
)
_IN_PATHS = (
    rb"%2f %2F.. // /./ /../ .. ; ;x=1 %3b ;/.. %00 %0d%0a %20 %5c \ %252e %c0%ae %ff %zz . ~ * + |"
    rb" {} %7f %ef%bc%8f /verify %2e%2e%2fhealthz /../../../healthz #x %23x"
).split()
_QUERIES = (
    rb"app app= app=x&app=y & && ; a=b;c=d app=%00 app=%ff app=%zz role=%0d%0aX-Auth-Role:admin"
    rb" %00 =x redirect=2 token={token} session={token} openbadges_session_8000={token}"
    rb" X-Auth-User-Id=1 app=nowhere app[]=wiki app=wiki;role=user ?app=wiki app==wiki"
).split()
_UNMET = (
    rb"role=admin group=nobody app=nowhere app=wiki app=vault&role=admin role=admin&app=notes"
    rb" role=admin&role=user role=user&role=admin group=staff&group=nobody role=user%00"
    rb" role=user%20 role=USER role=+user group=Staff group=staff%2Cops group=staff,ops"
    rb" app=notes&app=notes app=NOTES app=notes%00 app=notes%20 app=wiki&app=notes"
    rb" app=notes/../wiki role= group= app= app=%27%20OR%201=1 role[]=user"
    rb" admin=1 role=user;role=admin"
).split()
"""What the member, in the groups `ops` and `staff` of the cast, is refused."""
_SPOOFED = (
    b"X-Auth-User-Id: 1",
    b"X-Auth-Role: admin",
    b"X-Forwarded-User: root",
    b"Remote-User: root",
    b"Authorization: Bearer {token}",
    b"Authorization: Basic cm9vdDpyb290",
    b"X-Session: {token}",
    b"Set-Cookie: " + _NAME + b"={token}",
    b"X-Original-URL: /healthz",
    b"X-Rewrite-URL: /healthz",
    b"X-HTTP-Method-Override: GET",
    b"X-Forwarded-Uri: /healthz",
    b"X-Forwarded-Method: OPTIONS",
    b"X-Forwarded-Host: localhost:8000",
    b"X-Forwarded-For: 127.0.0.1",
    b"Expect: 100-continue",
    b"Host: evil.example",
    b"Range: bytes=0-0",
    b"If-None-Match: *",
    b"Connection: Cookie",
    b"X-Auth\x00: 1",
    b"X-\xff: 1",
    b"X-Nul: a\x00b",
    b"Cookie : " + _NAME + b"={token}",
    b"cookie2: " + _NAME + b"={token}",
    b"Cookie_: " + _NAME + b"={token}",
)
_BENT = (
    b"",
    b"obs_",
    b"{head}",
    b"{token}x",
    b"x{token}",
    b'"{token}"',
    b" {token}",
    b"{token}={token}",
    b"{token},{token}",
    b"{token}%00",
    b"{token}\x00",
    b"{token}\xa0",
    b"\xa0{token}",
    b"{token}\x0b",
    b"\xff\xfe{token}",
    b"{head}\xc3\xa9",
    b"%6fbs_{tail}",
    b"{token}" * 150,
    b"A" * 8000,
    b"obs_" + b"\xe9" * 43,
    b"obs_" + b"'" * 43,
    b"{ended}",
    b"{expired}",
    b"{disabled}",
    b"{enrol}",
    b"{child}",
)
_OTHER_NAMES = (
    b"x" + _NAME,
    _NAME + b"x",
    _NAME.upper(),
    b"__Host-session",
    b"session",
    _NAME + b"[]",
    b'"' + _NAME + b'"',
    b"\xa0" + _NAME,
    b"\x0b" + _NAME,
    _NAME + b"%20",
)


@dataclass(frozen=True, kw_only=True)
class OddRequests:
    """Draws requests; ``tokens`` are the cast's."""

    tokens: Mapping[str, str]
    chance: Random

    def draw(self, number: int) -> Iterator[bytes]:
        """Draw so many."""
        kinds = (self.odd_cookie, self.odd_target, self.odd_method, self.unmet, self.odd_header)
        for _ in range(number):
            yield self.filled(self.chance.choice(kinds)())

    def honest(self) -> bytes:
        """Give what is granted: the control."""
        return self.filled(_written(b"GET", _CHECK + b"?app=notes", [_good_cookie()]))

    def odd_cookie(self) -> bytes:
        lines = [b"Cookie: " + self.cookie()]
        if self.chance.random() < 0.1:
            lines = [_good_cookie(), _good_cookie()]
        elif self.chance.random() < 0.1:
            lines = [b"Cookie: " + b"; ".join(b"a%d=1" % one for one in range(300))]
        return _written(self.reading(), self.any_target(), lines)

    def cookie(self) -> bytes:
        """Write a cookie that is not, or not only, the good one."""
        kind = self.chance.randrange(5)
        if kind == 0:
            return self.chance.choice(_OTHER_NAMES) + b"={token}"
        if kind == 1:
            separator = self.chance.choice((b"; ", b";", b" ; "))
            return separator.join([_NAME + b"={token}", _NAME + self.chance.choice((b"", b"=x"))])
        if kind == 2:
            return _NAME + b"=" + self.scrambled()
        return _NAME + b"=" + self.chance.choice(_BENT)

    def scrambled(self) -> bytes:
        """Change one character of the good token, to any byte."""
        token = bytearray(self.tokens["member"].encode())
        at = self.chance.randrange(len(token))
        old = token[at]
        while token[at] in {old, *b"\r\n;"}:
            token[at] = self.chance.randrange(256)
        return bytes(token)

    def odd_target(self) -> bytes:
        return _written(self.reading(), self.any_target(always_odd=True), [])

    def any_target(self, *, always_odd: bool = False) -> bytes:
        chance = self.chance
        target = _CHECK
        if always_odd and chance.random() < 0.6:
            at = chance.randrange(1, len(target) + 1)
            target = target[:at] + chance.choice(_IN_PATHS) + target[at:]
        if chance.random() < 0.1:
            target = chance.choice((b"http://localhost:8000", b"//evil", b"x:")) + target
        if chance.random() < 0.4:
            target += b"?" + chance.choice(_QUERIES)
        if chance.random() < 0.03:
            target += b"?" + b"x" * chance.choice((3000, 8192, 70_000))
        return target

    def odd_method(self) -> bytes:
        method = self.chance.choice(_METHODS)
        lines = [b"Cookie: " + self.cookie()] if self.chance.random() < 0.5 else []
        body = self.chance.choice((b"", b"{}", b"{token}"))
        return _written(method, self.any_target(), lines, body)

    def unmet(self) -> bytes:
        """Ask with a good session for what its person may not have."""
        lines = [_good_cookie()]
        if self.chance.random() < 0.5:
            lines.append(self.chance.choice(_SPOOFED[:4]))
        return _written(self.reading(), _CHECK + b"?" + self.chance.choice(_UNMET), lines)

    def odd_header(self) -> bytes:
        lines = self.chance.sample(_SPOOFED, self.chance.randrange(1, 4))
        if self.chance.random() < 0.3:
            lines.append(b"Cookie: " + self.cookie())
        return _written(self.reading(), self.any_target(), lines)

    def reading(self) -> bytes:
        return self.chance.choice((b"GET", b"GET", b"HEAD"))

    def filled(self, request: bytes) -> bytes:
        token = self.tokens["member"]
        meant = {
            "token": token,
            "head": token[:24],
            "tail": token[4:],
            "ended": new_session_token(),
            "expired": self.tokens["expired"],
            "disabled": self.tokens["disabled"],
            "enrol": self.tokens["enrol"],
            "child": self.tokens["wiki child"],
        }
        for name, value in meant.items():
            request = request.replace(b"{%s}" % name.encode(), value.encode())
        return request


def _good_cookie() -> bytes:
    return b"Cookie: " + _NAME + b"={token}"


def _written(method: bytes, target: bytes, lines: list[bytes], body: bytes = b"") -> bytes:
    own = [] if any(line.startswith(b"Host:") for line in lines) else [f"Host: {HOST}".encode()]
    own.append(b"Connection: close")
    if body:
        # As long as what stands in its place in the end.
        body = b"{}"
        own.append(b"Content-Length: 2")
    return b"\r\n".join([method + b" " + target + b" HTTP/1.1", *own, *lines, b"", body])
