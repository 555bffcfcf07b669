"""Paths and queries that lead nowhere, made by Hypothesis out of good ones."""

from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

from tests.support.hostile_bytes import NOT_UTF_8, parts
from tests.support.hostile_requests import (
    ANONYMOUS,
    FROM_US,
    HONEST_COOKIE,
    INVALID,
    JSON,
    NO_METHOD,
    NOWHERE,
    Attempt,
    Kinds,
)

_PUT_IN_PATHS = (
    *(b"x" * 3000, *(quote_from_bytes(one).encode() for one in NOT_UTF_8)),
    *rb"// /./ /../ /..;/ %2f %2F..%2f %5c %00 %0d%0a %20 . ;x=1 %3b % %zz %u0041 %c0%ae".split(),
    *rb"%252e %e2%80%8b * ~ + \ | {} %7f %1b %ef%bc%8f".split(),
)
_API_PATHS = (b"/api/auth/session", b"/api/auth/credentials", b"/api/users/me")


def _other_path(path: bytes, junk: bytes, part: int) -> Attempt:
    at = len(b"/api/") + part * (len(path) - len(b"/api/")) // 10_000
    return Attempt(refusal=NOWHERE, target=path[:at] + junk + path[at:], headers=(HONEST_COOKIE,))


def _same_path(path: bytes, letters: list[int]) -> Attempt:
    """Write some letters as their numbers: the path stays the same (RFC 3986 §6.2.2.2)."""
    written = [b"%%%02x" % one if at in letters else bytes([one]) for at, one in enumerate(path)]
    return Attempt(refusal=ANONYMOUS, target=b"/" + b"".join(written)[1:])


def _bad_id(noun: bytes, junk: bytes, part: int) -> Attempt:
    at = part * len(b"{id}") // 10_000
    bad = junk + b"{id}" if at < len(b"{id}") // 2 else b"{id}" + junk
    return _of_id(noun + b"/" + bad)


def _of_id(target: bytes) -> Attempt:
    method = "DELETE" if b"sessions" in target else "PATCH"
    body = b"" if method == "DELETE" else b'{"name": "Eve"}'
    headers = (FROM_US, JSON, HONEST_COOKIE)
    return Attempt(
        refusal=NOWHERE, method=method, target=b"/api/auth/" + target, headers=headers, body=body
    )


def hostile_paths() -> Kinds:
    """Paths that lead nowhere, or to the same place as a plain one."""
    nouns = st.sampled_from([b"sessions", b"credentials"])
    paths, junk = st.sampled_from(_API_PATHS), st.sampled_from(_PUT_IN_PATHS)
    methods = st.sampled_from(["PUT", "TRACE", "CONNECT", "PROPFIND", "BREW", "X" * 20])
    return (
        *[st.builds(_other_path, paths, junk, parts)] * 3,
        st.builds(_same_path, paths, st.lists(st.integers(1, 20), max_size=9)),
        st.builds(_bad_id, nouns, junk, parts),
        st.builds(lambda noun, id_: _of_id(noun + b"/" + str(id_).encode()), nouns, st.uuids()),
        st.builds(
            lambda path, method: Attempt(
                refusal=NO_METHOD, target=path, method=method, headers=(FROM_US, HONEST_COOKIE)
            ),
            paths,
            methods,
        ),
    )


_LIMITS = (
    *(b"", b"5%205", b"9" * 3000),
    *b"0 -1 101 x 1e2 0x10 NaN true %00 5%00 %ff 5;limit=6 5,6 [5] null %2b 1/2 --5".split(),
)
_PAGED = (b"/api/auth/sessions?", b"/api/auth/credentials?")


def hostile_queries() -> Kinds:
    """Queries of a list that are not exactly what the operation takes."""

    def query(path: bytes, text: bytes) -> Attempt:
        return Attempt(refusal=INVALID, target=path + text, headers=(HONEST_COOKIE,))

    encoded = st.binary(min_size=1, max_size=20).map(lambda data: quote_from_bytes(data).encode())
    unknown = st.sampled_from(
        [b"Limit", b"limit%20", b"limit[]", b"limit%00", b"offset", b"", b"%ff"]
    )
    texts = (
        st.sampled_from(_LIMITS).map(lambda value: b"limit=" + value),
        encoded.map(lambda value: b"limit=x" + value),
        encoded.map(lambda value: b"after=" + value),
        st.builds(lambda junk: b"after={id}" + junk, encoded),
        st.builds(lambda name, value: name + b"=" + value, unknown | encoded, encoded),
        encoded.map(lambda value: b"limit=5&limit=5&x=" + value),
        st.integers(2, 400).map(lambda times: b"&".join([b"limit=5"] * times)),
        st.integers(1, 400).map(lambda times: b"&".join(b"x%d=1" % one for one in range(times))),
        st.just(b"limit=5&after={id}&limit=5"),
    )
    return [st.builds(query, st.sampled_from(_PAGED), one) for one in texts]
