"""The search for planted secrets finds them in every form, or its silence would say nothing (A14).

Each form stands amid other bytes, at any distance from the start.
"""

import gzip
import json
import random
import secrets
import zlib
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping

import pytest

from app.services.tokens import new_code, new_secret, new_session_token
from tests.support.secret_search import SHORTEST_FRAGMENT, SecretSearch

OTHERS = random.Random(20261).randbytes(999)  # noqa: S311 - the same every time
NAMES: Mapping[str, Callable[[], str]] = {
    "token": new_session_token,
    "secret": new_secret,
    "code": new_code,
    "password": lambda: "correct horse battery staple",
}


def percent(text: bytes) -> bytes:
    return "".join(f"%{byte:02X}" for byte in text).encode()


def squeezed_text(text: bytes) -> bytes:
    return urlsafe_b64encode(zlib.compress(b"a session of some framework: " + text)).rstrip(b"=")


FORMS: Mapping[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "hex": lambda text: text.hex().encode(),
    "hex_in_capitals": lambda text: text.hex().upper().encode(),
    "hex_of_an_odd_offset": lambda text: b"a" + text.hex().encode(),
    "base64": b64encode,
    "base64_behind_one_byte": lambda text: b64encode(b"\xff" + text),
    "base64_behind_two_bytes": lambda text: b64encode(b"\xff\xfb" + text),
    "base64url_behind_one_byte": lambda text: urlsafe_b64encode(b"\xff" + text),
    "basic_authorization": lambda text: b"Basic " + b64encode(b"ada:" + text),
    "gzip": lambda text: gzip.compress(b"the line before\n" + text),
    "zlib": lambda text: zlib.compress(text, 9),
    "gzip_cut_short": lambda text: gzip.compress(OTHERS[:99] + text)[:-12],
    "zlib_as_base64url": squeezed_text,
    "base64_in_gzip": lambda text: gzip.compress(b64encode(b"x" + text)),
    "gzip_in_gzip": lambda text: gzip.compress(gzip.compress(text)),
    "gzip_in_hex": lambda text: gzip.compress(text).hex().encode(),
    "gzip_in_base64_behind_one_byte": lambda text: b64encode(b"x" + gzip.compress(text)),
    "utf_16_in_hex": lambda text: text.decode("latin-1").encode("utf-16").hex().encode(),
    "percent": percent,
    "percent_in_small_letters": lambda text: percent(text).lower(),
    "python": lambda text: "".join(f"\\x{byte:02x}" for byte in text).encode(),
    "json": lambda text: json.dumps("".join(f"\\u{byte:04x}" for byte in text)).encode(),
    "utf_16": lambda text: text.decode("latin-1").encode("utf-16-le"),
    "utf_16_the_other_way": lambda text: text.decode("latin-1").encode("utf-16-be"),
    "backwards": lambda text: text[::-1],
    "cut_short": lambda text: text[: SHORTEST_FRAGMENT + 1],
    "its_middle": lambda text: text[3 : 3 + SHORTEST_FRAGMENT],
}


def hidden(form: bytes) -> list[bytes]:
    """Put a form into other bytes, at several distances from the start."""
    return [OTHERS[:before] + form + OTHERS[before:] for before in range(5, 12)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", NAMES)
def test_secret_is_found_in_every_form(kind: str, form: str) -> None:
    secret, other = NAMES[kind](), new_secret()
    search = SecretSearch()
    search.add(kind, secret)
    search.add("other", other)

    for content in hidden(FORMS[form](secret.encode())):
        assert search.found_in(content) == {kind}


@pytest.mark.parametrize("form", FORMS)
def test_bytes_that_a_token_means_are_found_in_every_form(form: str) -> None:
    token = new_session_token()
    meant = urlsafe_b64decode(token.removeprefix("obs_") + "=")
    search = SecretSearch()
    search.add("token", token)

    for content in hidden(FORMS[form](meant)):
        assert search.found_in(content) == {"token"}


@pytest.mark.parametrize("form", ["plain", "hex", "base64", "gzip"])
def test_code_is_found_however_it_is_typed(form: str) -> None:
    code = new_code()
    search = SecretSearch()
    search.add("code", code)

    for typed in (code.lower(), code.replace("-", ""), code.lower().replace("-", "")):
        assert search.found_in(FORMS[form](typed.encode())) == {"code"}


def test_nothing_is_found_where_nothing_is() -> None:
    search = SecretSearch()
    for _ in range(100):
        search.add("token", new_session_token())
        search.add("code", new_code())
    dashes = "-".join(new_code() for _ in range(1000))

    assert search.found_in(secrets.token_bytes(1_000_000)) == set()
    assert search.found_in(secrets.token_hex(500_000).encode()) == set()
    assert search.found_in(secrets.token_urlsafe(500_000).encode()) == set()
    assert search.found_in(dashes.encode()) == set()


def test_what_chance_would_find_is_not_looked_for() -> None:
    with pytest.raises(ValueError, match="too short"):
        SecretSearch().add("pin", "1234567890123456789")
