"""Requests that open nothing, here for their cookies, made by Hypothesis out of good ones.

An `Attempt` is plain bytes, in which `{token}` stands for the cookie of somebody who is signed in,
freshly enough for everything (`{head}` and `{tail}` are its halves), and `{id}` for the id of
that session.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.support.hostile_bytes import ALPHABET
from tests.support.people import BROWSER_COOKIE, SESSION_COOKIE
from tests.support.raw_requests import Header, Request

Refusal = tuple[int, str]

ANONYMOUS: Refusal = (401, "not_signed_in")
COOKIE: Refusal = (400, "cookie_refused")
CROSS_SITE: Refusal = (403, "cross_site_request")
INVALID: Refusal = (422, "invalid_body")
MISDIRECTED: Refusal = (421, "misdirected_request")
NO_JSON: Refusal = (415, "unsupported_content_type")
NO_METHOD: Refusal = (405, "method_not_allowed")
NOWHERE: Refusal = (404, "not_found")

NAME = SESSION_COOKIE.encode()
HONEST_COOKIE = (b"Cookie", NAME + b"={token}")
FROM_US = (b"Sec-Fetch-Site", b"same-origin")
JSON = (b"Content-Type", b"application/json")


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A request that must be refused, and how; a good one where nothing is named."""

    refusal: Refusal | None
    method: str = "GET"
    target: bytes = b"/api/auth/session"
    headers: tuple[Header, ...] = ()
    body: bytes = b""

    @property
    def refusals(self) -> frozenset[Refusal]:
        return frozenset(() if self.refusal is None else (self.refusal,))

    def request(self, *, token: str, session_id: str) -> Request:
        """Give the request as that person's browser, or somebody at it, would make it."""
        half = len(token) // 2
        meant = {"token": token, "head": token[:half], "tail": token[half:], "id": session_id}

        def filled(text: bytes) -> bytes:
            for name, value in meant.items():
                text = text.replace(b"{%s}" % name.encode(), value.encode())
            return text

        return Request(
            method=self.method,
            target=filled(self.target),
            headers=[(name, filled(value)) for name, value in self.headers],
            body=self.body,
        )


Attempts = st.SearchStrategy[Attempt]
Kinds = Sequence[Attempts]
"""What can be wrong, each kind tried as often as every other."""

GUARDED: tuple[tuple[str, bytes, bytes], ...] = (
    ("GET", b"/api/auth/session", b""),
    ("GET", b"/api/auth/credentials", b""),
    ("POST", b"/api/auth/recovery-codes", b"{}"),
    ("DELETE", b"/api/auth/sessions", b""),
    ("PATCH", b"/api/users/me", b'{"name": "Eve"}'),
)
guarded = st.sampled_from(GUARDED)

# What no server hands on, or what parts cookies from each other, is left to the tests of framing.
_visible = st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f;=,")
visible_texts = st.text(_visible, min_size=1, max_size=20).map(lambda text: text.encode("latin-1"))
_JUNK = (b"!", b"=", b"%41", b"\xe9", b"\\", b'"', b",", b"+", b"/", b" x", b"\xa0", b"x" * 5000)


def answered(refusal: Refusal) -> Callable[..., Attempt]:
    """Make attempts on an operation by somebody at our page, refused like this."""

    def attempt(operation: tuple[str, bytes, bytes], *headers: Header) -> Attempt:
        method, target, body = operation
        return Attempt(
            refusal=refusal,
            method=method,
            target=target,
            headers=(FROM_US, JSON, *headers),
            body=body,
        )

    return attempt


def _cookie(value: bytes) -> Header:
    return (b"Cookie", value)


def _guessed(letters: list[int]) -> bytes:
    return NAME + b"=obs_" + "".join(ALPHABET[one] for one in letters).encode()


_guesses = st.lists(st.integers(0, 63), min_size=43, max_size=43).map(_guessed)
_twice = st.sampled_from(
    [b"{n}={t}; {n}={t}", b"{n}={t};{n}=", b"{n}; {n}={t}", b"{n}=x;\t{n}={t}"]
)
_lookalikes = st.sampled_from(
    [
        *(b" ={n}={t}", b"x{n}={t}", b"{n}x={t}", b"{n} ={t}", b"\xa0{n}={t}"),
        *(b"x={n}={t}", b"x=1,{n}={t}", b'x="; ' + b'{n}x={t}"', b"\xe2\x80\x80{n}={t}"),
        *(NAME.upper() + b"={t}", b"__Host-{n}={t}", b"__Secure-{n}={t}", b"session={t}", b"{t}"),
    ]
)


def _named(text: bytes) -> bytes:
    return text.replace(b"{n}", NAME).replace(b"{t}", b"{token}")


def hostile_cookies() -> Kinds:
    """Cookies that are not the one of whoever is signed in."""
    refused = (
        st.builds(lambda junk: NAME + b"={token}" + junk, st.sampled_from(_JUNK)),
        st.builds(lambda junk: NAME + b"={head}" + junk + b"{tail}", st.sampled_from(_JUNK)),
        st.builds(lambda junk: NAME + b"=" + junk + b"{token}", st.sampled_from(_JUNK)),
        st.builds(lambda text: NAME + b"=" + text, visible_texts),
        st.builds(lambda end: NAME + b"=obs_" + b"A" * end, st.integers(0, 42)),
        st.builds(
            lambda text: text + b"=1; " + NAME + b"={token}; " + NAME + b"=" + text, visible_texts
        ),
        _twice.map(_named),
        visible_texts.map(
            lambda text: BROWSER_COOKIE.encode() + b"=" + text + b"; " + NAME + b"={token}"
        ),
    )
    unknown = (
        _guesses,
        _lookalikes.map(_named),
        visible_texts,
        visible_texts.map(lambda t: t + b"=" + t),
    )
    return (
        *(st.builds(answered(COOKIE), guarded, one.map(_cookie)) for one in refused),
        *(st.builds(answered(ANONYMOUS), guarded, one.map(_cookie)) for one in unknown),
    )
