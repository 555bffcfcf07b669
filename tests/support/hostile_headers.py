"""Headers that are refused, or that open nothing for somebody without a session."""

from hypothesis import strategies as st

from tests.support.hostile_requests import (
    ANONYMOUS,
    CROSS_SITE,
    FROM_US,
    GUARDED,
    HONEST_COOKIE,
    JSON,
    MISDIRECTED,
    NO_JSON,
    Attempt,
    Kinds,
    answered,
    guarded,
    visible_texts,
)
from tests.support.raw_requests import HOST
from tests.support.variables import ORIGIN

_HARMLESS = (
    *b"X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Forwarded-Prefix X-Real-IP".split(),
    *b"Forwarded X-Original-URL X-Rewrite-URL X-HTTP-Method-Override X-Auth-User".split(),
    *b"X-Auth-Request-User Remote-User X-Forwarded-User Authorization User-Agent Accept".split(),
    *b"Accept-Language Accept-Encoding Range If-Match If-Modified-Since Traceparent".split(),
    *b"Content-Encoding X-Request-Id Referer From Via Cookie2 Pragma Date Sec-Fetch-Dest".split(),
    *(b"Access-Control-Request-Method", b"A" * 500),
)
_values = st.one_of(
    visible_texts,
    st.sampled_from([b"", b"127.0.0.1", b"admin", b"null", b"*", b"%00%0d%0aX: y", b"${jndi:x}"]),
    st.sampled_from(
        [b"a" * 7000, b"\xff" * 300, b"(" * 2000, b"," * 3000, b'"' * 999, b"%n%s" * 99]
    ),
    st.sampled_from([b"Bearer obs_x", b"Basic Og==", b"Basic ===", b"Digest x", b"Session x"]),
    st.sampled_from([b"bytes=0-18446744073709551616", b"Thu, 99 Jan 99999", b'W/"', b"gzip, br"]),
)
_OWN_HOST = HOST.encode()
_hosts = st.sampled_from(
    [
        *b"evil.test localhost localhost:8001 localhost:80000 127.1:8000 [::1]:8000".split(),
        *(_OWN_HOST + more for more in (b".", b".evil.test", b"@evil.test", b"/", b"0", b"\xe9")),
        *(b"", b"evil." + _OWN_HOST, b"a@" + _OWN_HOST, b"a" * 300),
    ]
)
_origins = visible_texts | st.sampled_from(
    [b"", b"null", b"http://evil.test", ORIGIN.encode() + b"/", b"http://localhost"]
)
_CONTENT_TYPES = (
    *(b"", b"multipart/form-data; boundary=x", b"text/plain; application/json", b"a" * 5000),
    *b"text/plain application/x-www-form-urlencoded application/jsonx text/json / ;".split(),
    *b"application application/problem+json application/json,text/plain \xff/json".split(),
)


def hostile_headers() -> Kinds:
    """Headers that are refused, or that must not open anything for somebody without a session."""
    changing = st.sampled_from(GUARDED[2:])
    with_body = st.sampled_from([GUARDED[2], GUARDED[4]])

    def of_type(operation: tuple[str, bytes, bytes], value: bytes) -> Attempt:
        method, target, body = operation
        headers = (FROM_US, HONEST_COOKIE, (b"Content-Type", value))
        return Attempt(refusal=NO_JSON, method=method, target=target, headers=headers, body=body)

    def from_elsewhere(operation: tuple[str, bytes, bytes], name: bytes, value: bytes) -> Attempt:
        method, target, body = operation
        headers = (JSON, HONEST_COOKIE, (name, value))
        return Attempt(refusal=CROSS_SITE, method=method, target=target, headers=headers, body=body)

    return (
        *[
            st.builds(
                lambda operation, name, value: answered(ANONYMOUS)(operation, (name, value)),
                guarded,
                st.sampled_from(_HARMLESS),
                _values,
            )
        ]
        * 3,
        st.builds(
            lambda operation, host: answered(MISDIRECTED)(
                operation, HONEST_COOKIE, (b"Host", host)
            ),
            guarded,
            _hosts | visible_texts,
        ),
        st.builds(of_type, with_body, st.sampled_from(_CONTENT_TYPES) | visible_texts),
        st.builds(from_elsewhere, changing, st.just(b"Origin"), _origins),
        st.builds(from_elsewhere, changing, st.just(b"Sec-Fetch-Site"), _origins),
    )
