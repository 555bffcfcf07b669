"""Where a person may be sent after signing in.

A15; CVE-2025-27143 and CVE-2025-71403 (a fixed list is not enough), CVE-2021-32618, CVE-2023-49438.
"""

import re
import string
import time
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.blueprints.return_paths import (
    LONGEST_RETURN_PATH,
    application_on_the_way,
    application_path,
    handover_path,
    return_path,
)

ORIGIN = "https://id.example.org"
DEFAULT = "/account"

HONEST = [
    "/",
    "/account",
    "/account/",
    "/account#passkeys",
    "/account?tab=sessions&page=2",
    "/apps/team-wiki/pages/1.2.3",
    "/caf%C3%A9",
    "/a;b=c/@me:x,y/(z)!$&'*+~_",
    "/search?q=a%2Fb%5Cc%2E%2E",
    "/authorize?redirect_uri=https://wiki.example.org/callback&scope=a+b",
    "/?next=//elsewhere.example",
    "/account?#",
    "/.well-known/openid-configuration",
    "/...",
    "/a..b/.hidden",
    "/" + "a" * (LONGEST_RETURN_PATH - 1),
]


@pytest.mark.parametrize("path", HONEST)
def test_path_of_ours_is_kept(path: str) -> None:
    assert return_path(path, default=DEFAULT) == path


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "account",
        "?tab=sessions",
        "#passkeys",
        "./account",
        "//account",
        "/account//passkeys",
        "/account/../admin",
        "/account/..",
        "/account/.",
        "/./account",
        "/..#x",
        "/.?x",
        "/%2e%2e/admin",
        "/.%2E/admin",
        "/a%2fb",
        "/a%5Cb",
        "/a%2eb",
        "/a%252fb",
        "/a%00",
        "/a%0d%0aSet-Cookie:x",
        "/a%7F",
        "/a%",
        "/a%4",
        "/a%zz",
        "/a b",
        "/a\tb",
        "/a\n",
        "\n/a",
        "/a\\b",
        "/a[b]",
        '/a"b',
        "/a<b>",
        "/a{b}",
        "/a|b",
        "/a^b",
        "/a`b",
        "/café",
        "/a\u2028b",
        "/a?b c",
        "/a#b#c",
        "/api/oauth/github/authorize",
        "/api/auth/session?x",
        "/%61pi/oauth/github/authorize",
        "/ap%69/auth/session",
        "/a?b\\c",
        "/" + "a" * LONGEST_RETURN_PATH,
    ],
)
def test_anything_else_is_answered_by_the_default(text: str | None) -> None:
    assert return_path(text, default=DEFAULT) == DEFAULT


def as_browsers_read(text: str) -> str:
    """Resolve a reference as browsers do: WHATWG URL section 4.4, as far as hosts are concerned."""
    read = re.sub(r"[\t\n\r]", "", text.strip("".join(map(chr, range(0x21)))))
    before_query = re.match(r"[^?#]*", read)
    assert before_query is not None
    reference = before_query[0].replace("\\", "/") + read[before_query.end() :]
    return urljoin(f"{ORIGIN}/sign-in", reference)


PIECES = ["/", "\\", ".", "..", "//", "@", ":", "?", "#", "%2f", "%5C", "%2e", "\t", "\r\n", " "]
HOSTILE = st.lists(
    st.sampled_from([*PIECES, "evil.example", "https:", "javascript:", "a", "\u2044", "\uff0f"]),
    max_size=8,
).map("".join)
LIKELY = st.text(alphabet=string.ascii_letters + "/\\.%25?#@:&=;\t", max_size=30).map("/".__add__)


@given(st.one_of(HOSTILE, HOSTILE.map("/".__add__), LIKELY, st.text()))
@example("//evil.example")
@example("/\\evil.example")
@example("/\t/evil.example")
def test_whatever_is_kept_stays_here(text: str) -> None:
    kept = return_path(text, default=DEFAULT)

    assert kept in {text, DEFAULT}
    for reading in (kept, unquote(urlsplit(kept).path)):
        resolved = urlsplit(as_browsers_read(reading))
        assert (resolved.scheme, resolved.netloc) == ("https", "id.example.org")
        assert not reading.startswith(("//", "/\\"))
    path = urlsplit(kept).path
    assert not {"", ".", ".."} & set(unquote(path).rstrip("/").split("/")[1:])
    assert not re.search(r"[\x00-\x20\x7f\\]", unquote(path))


def test_reading_of_browsers_would_find_another_host() -> None:
    for text in ("//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example"):
        assert urlsplit(as_browsers_read(text)).netloc == "evil.example"


@pytest.mark.parametrize(
    "text", ["/a" * 999 + "\\", "/" + "%41" * 660 + "%", "/?" + "a/?" * 660 + "#"]
)
def test_long_text_is_judged_at_once(text: str) -> None:
    begun = time.perf_counter()

    return_path(text, default=DEFAULT)

    assert time.perf_counter() - begun < 0.2


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("/page?a=1&b=c+d#part", "/page?a=1&b=c+d#part"),
        ("/list?ids[]=1|2&q={x}^`", "/list?ids%5B%5D=1%7C2&q=%7Bx%7D%5E%60"),
        ("/?q=\\", "/?q=%5C"),
        ("/api/report", "/api/report"),
        ("/a|b", "/"),
        ("/.identity/start", "/"),
        ("/.identity", "/"),
        ("/.%69dentity/start", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_path_of_an_application_is_kept_as_its_browser_would_write_it(
    typed: str | None, kept: str
) -> None:
    assert application_path(typed) == kept


@given(text=st.text(max_size=60) | st.text("/\\.%2f5ce?#:@[|é\t", max_size=30).map("/{}".format))
@example("//evil.example")
@example("/?//evil.example\\")
def test_path_of_an_application_stays_there(text: str) -> None:
    kept = application_path(text)

    resolved = urlsplit(as_browsers_read(kept))
    assert (resolved.scheme, resolved.netloc) == ("https", "id.example.org")
    assert application_path(kept) == kept
    assert not kept.startswith("/.identity")


WIKI = {"app": "wiki", "origin": "https://wiki.example.org:8443", "browser": "x" * 43}


@given(text=st.text("/page?&=%41#:@'()~[é", max_size=40).map("/{}".format))
def test_way_to_an_application_is_one_that_may_be_gone_on_to(text: str) -> None:
    path = handover_path(**WIKI, return_to=application_path(text))

    assert return_path(path, default=DEFAULT) == path
    assert application_on_the_way(path) == "wiki"


def test_way_to_an_application_leaves_a_long_target_out() -> None:
    for target in (f"/{'a' * 1700}", f"/?{'%41' * 700}"):
        path = handover_path(**WIKI, return_to=target)
        assert len(path) <= LONGEST_RETURN_PATH
        assert path.endswith(f"&return_to={target}") is target.startswith("/a")
