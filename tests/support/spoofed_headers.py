"""Headers by which a client would like to be somebody else, or to come from somewhere else.

A4; CVE-2023-36456, CVE-2025-48865, CVE-2025-64484, CVE-2026-40575.
"""

from collections.abc import Iterator

from tests.support.raw_requests import Header

IDENTITY = (
    *b"X-Auth-User-Id X-Auth-Email X-Auth-Name X-Auth-Role X-Auth-Groups".split(),
    *b"X-Auth-Session-Id X-Auth-Method X-Auth-Time X-Auth-User X-Auth-Username".split(),
    *b"Remote-User Remote-Name Remote-Email Remote-Groups X-Remote-User X-Remote-Groups".split(),
    *b"X-Forwarded-User X-Forwarded-Email X-Forwarded-Groups X-WebAuth-User".split(),
    *b"X-Forwarded-Preferred-Username X-Auth-Request-User X-Auth-Request-Email".split(),
)
CIRCUMSTANCES = (
    *b"X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Forwarded-Prefix".split(),
    *b"X-Forwarded-Uri X-Forwarded-Port X-Forwarded-Method X-Forwarded-Server".split(),
    *b"Forwarded X-Real-IP X-Original-URL X-Original-URI X-Original-Method X-Rewrite-URL".split(),
)
_VALUES = {
    b"X-Auth-Role": b"admin",
    b"X-Forwarded-For": b"203.0.113.9, 127.0.0.1",
    b"X-Forwarded-Host": b"evil.example.test",
    b"X-Forwarded-Proto": b"http",
    b"X-Forwarded-Uri": b"/healthz",
    b"X-Forwarded-Port": b"80",
    b"X-Forwarded-Method": b"OPTIONS",
    b"Forwarded": b"for=203.0.113.9;host=evil.example.test;proto=http",
    b"X-Real-IP": b"203.0.113.9",
    b"X-Original-URL": b"/healthz",
    b"X-Original-URI": b"/healthz",
    b"X-Rewrite-URL": b"/healthz",
}
_OTHERS = (
    # A load balancer's health check, a monitor, and what some proxies let through for it.
    [(b"User-Agent", b"GoogleHC/1.0")],
    [(b"User-Agent", b"kube-probe/1.30"), (b"X-Forwarded-Uri", b"/readyz")],
    [(b"Authorization", b"Bearer obs_" + b"A" * 43)],
    [(b"Authorization", b"Basic cm9vdDpyb290")],
    [(b"Connection", b"Cookie")],
    [(b"Connection", b"X-Auth-User-Id, X-Auth-Role, Cookie, X-Forwarded-For, close")],
    [(b"Connection", b"keep-alive, Remote-User"), (b"Keep-Alive", b"timeout=9")],
    [(b"Proxy-Connection", b"X-Auth-User-Id")],
    [(b"TE", b"trailers"), (b"Trailer", b"X-Auth-User-Id")],
    [(b"Content-Length", b"0")],
)


def spoofed(name: bytes) -> Iterator[list[Header]]:
    """Give the forms in which a client may send a header that is not its to send."""
    value = _VALUES.get(name, b"root")
    folded = name.replace(b"-", b"_")
    yield [(name, value)]
    yield [(name.lower(), value), (name.upper(), value)]
    yield [(folded, value), (folded.upper(), value)]
    yield [(name, value), (folded, value)]
    yield [(folded[: len(folded) // 2] + name[len(folded) // 2 :], value)]
    yield [(name.replace(b"-", b"."), value), (name.replace(b"-", b" "), value)]
    yield [(b"Connection", name + b", close"), (name, value)]
    yield [(name, b"")]


def variants() -> list[list[Header]]:
    """Give every spoofing request's headers, more than 200."""
    named = [one for name in (*IDENTITY, *CIRCUMSTANCES) for one in spoofed(name)]
    return [*named, *_OTHERS]


HARMLESS = {
    "user-agent",
    "authorization",
    "x-request-id",
    "proxy-connection",
    "trailer",
    "content-length",
    "te",
}
"""What an application may see differ: it says nothing of who is there, or comes from nginx."""


def told(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Give what an application believes, names as CGI, WSGI and PHP fold them."""
    folded = (("".join(c if c.isalnum() else "-" for c in name), value) for name, value in headers)
    return sorted(one for one in folded if one[0] not in HARMLESS)
