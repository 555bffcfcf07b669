"""What an application can be registered with, and what is refused beside it."""

import pytest

from app.errors import InvalidApplication, InvalidGroup, ServiceError, TooManyGroups
from app.services.application_details import (
    ApplicationDetails,
    parse_application_id,
    parse_details,
)

PUBLIC_ORIGIN = "https://id.example.org"
WIKI = "https://wiki.example.org"


def parse(
    *,
    name: str | None = None,
    origins: list[str] | None = None,
    groups: list[str] | None = None,
    headers: list[tuple[str, str]] | None = None,
    public_origin: str = PUBLIC_ORIGIN,
    development: bool = False,
) -> ApplicationDetails:
    return parse_details(
        name=name,
        origins=origins,
        allowed_groups=groups,
        headers=headers,
        public_origin=public_origin,
        plain_http_allowed=development,
    )


@pytest.mark.parametrize("text", ["a", "wiki", "my-wiki-2", "a" * 40])
def test_every_id_of_the_grammar_is_taken(text: str) -> None:
    assert parse_application_id(text) == text


@pytest.mark.parametrize("text", ["", "-a", "2a", "A", "a_b", "a.b", "a/b", "é", "a\n", "a" * 41])
def test_any_other_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidApplication):
        parse_application_id(text)


@pytest.mark.parametrize(
    "origins",
    [
        [WIKI],
        ["https://wiki.example.org:8443"],
        [WIKI, "https://wiki.example.org:8443"],
        ["https://xn--bcher-kva.example"],
        ["https://www.id.example.org"],
        ["https://example.org"],
        [f"https://{letter}.example.org" for letter in "abcde"],
        [PUBLIC_ORIGIN],
    ],
    ids=" ".join,
)
def test_origins_as_browsers_write_them_are_taken(origins: list[str]) -> None:
    assert parse(origins=origins).origins == origins


@pytest.mark.parametrize(
    ("origins", "words"),
    [
        ([], "1 to 5 origins"),
        ([f"https://{letter}.example.org" for letter in "abcdef"], "1 to 5 origins"),
        (["wiki.example.org"], "must begin with https://"),
        (["//wiki.example.org"], "must begin with https://"),
        (["HTTPS://wiki.example.org"], "must begin with https://"),
        (["wss://wiki.example.org"], "must begin with https://"),
        (["null"], "must begin with https://"),
        (["https://Wiki.example.org"], "lower-case"),
        (["https://bücher.example"], "xn--"),
        (["https://wiki.example.org/"], "a slash at the end"),
        (["https://wiki.example.org/app"], "remove the path"),
        (["https://wiki.example.org?a"], "query"),
        (["https://wiki.example.org#a"], "fragment"),
        (["https://wiki.example.org\\"], "remove the path"),
        (["https://ada@wiki.example.org"], "user name"),
        (["https://wiki.example.org:443"], "remove :443"),
        (["https://wiki.example.org:"], "no valid port"),
        (["https://wiki.example.org:08443"], "no valid port"),
        (["https://wiki.example.org:65536"], "no valid port"),
        (["https://*.example.org"], "no valid host name"),
        (["https://wiki.example.org."], "no valid host name"),
        (["https://wiki.example.org,https://b.example"], "remove the path"),
        (["https://wiki.example.org "], "no valid host name"),
        (["https://wiki.example.org\n"], "no valid host name"),
        (["https://192.0.2.7"], "IP address"),
        (["https://[2001:db8::1]"], "IP address"),
        (["https://0x7f.1"], "no valid host name"),
        (["http://wiki.example.org"], "only development"),
        (["http://localhost:9000"], "only development"),
        ([WIKI, WIKI], "named twice"),
        ([PUBLIC_ORIGIN, WIKI], "has no other origin"),
        ([WIKI, PUBLIC_ORIGIN], "has no other origin"),
        ([f"{PUBLIC_ORIGIN}:8443"], "cookies ignore ports"),
        ([WIKI, f"{PUBLIC_ORIGIN}:8443"], "cookies ignore ports"),
    ],
)
def test_any_other_origins_are_refused(origins: list[str], words: str) -> None:
    with pytest.raises(InvalidApplication) as refusal:
        parse(origins=origins)

    sentence = str(refusal.value)
    assert words in sentence
    assert "PUBLIC_ORIGIN" not in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    "origin", ["http://localhost:9000", "http://wiki.localhost:9000", "http://wiki.localhost"]
)
def test_plain_http_is_for_development_on_ones_own_machine(origin: str) -> None:
    assert parse(origins=[origin], development=True).origins == [origin]
    with pytest.raises(InvalidApplication, match="only development"):
        parse(origins=[origin])


@pytest.mark.parametrize(
    "origin", ["http://wiki.example.org", "http://localhost.example.org", "http://mylocalhost"]
)
def test_plain_http_elsewhere_is_refused_in_development_too(origin: str) -> None:
    with pytest.raises(InvalidApplication, match="localhost and names under it alone"):
        parse(origins=[origin], development=True)


def test_port_of_localhost_is_not_a_host_of_its_own() -> None:
    """A demonstration on loopback would share the cookies of the service beside it."""
    local = "http://localhost:8000"

    assert parse(origins=[local], public_origin=local, development=True).origins == [local]
    for origin in ("http://localhost:9000", "https://localhost", "http://localhost"):
        with pytest.raises(InvalidApplication, match="cookies ignore ports"):
            parse(origins=[origin], public_origin=local, development=True)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("user_id", "Remote-User"), ("groups", "Remote-Groups")],
        [("email", "X-WEBAUTH-USER"), ("name", "x-webauth-name")],
        [("user_id", "Auth-User")],
        [("name", "X-" + "a" * 62)],
        [("name", "X-Auth-Email"), ("email", "X-Auth-Name")],
        [("user_id", "X-Auth-User-Id")],
    ],
)
def test_headers_of_these_shapes_are_taken(headers: list[tuple[str, str]]) -> None:
    assert parse(headers=headers).header_map == dict(headers)


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ([("mail", "X-Mail")], "no field 'mail'"),
        ([("", "X-Mail")], "no field ''"),
        ([("name", "X-A"), ("name", "X-B")], "two headers"),
        ([("name", "X-A"), ("email", "x-a")], "share the header x-a"),
        # The field that is not named keeps the header that it has.
        ([("name", "X-Auth-Email")], "share the header x-auth-email"),
        ([("name", "X-Na_me")], "cannot be"),
        ([("name", "X-Name\r\nX-Role")], "cannot be"),
        ([("name", "X-Name:")], "cannot be"),
        ([("name", "X-")], "cannot be"),
        ([("name", "X-Näme")], "cannot be"),
        ([("name", "X--Name")], "cannot be"),
        ([("name", "")], "cannot be"),
        ([("name", "X-" + "a" * 63)], "cannot be"),
        *(
            ([("name", header)], "cannot be")
            for header in ("Cookie", "Authorization", "Host", "Remote", "Connection", "XName")
        ),
        *(
            ([("name", header)], "something else")
            for header in (
                *("X-Forwarded-For", "X-Forwarded-User", "x-forwarded-host", "X-Real-IP"),
                *("x-real-ip", "X-Original-URL", "X-Rewrite-URL", "X-Accel-Redirect"),
                *("X-HTTP-Method-Override", "X-Host", "X-Sendfile", "Remote-Addr", "X-Remote-IP"),
            )
        ),
    ],
)
def test_any_other_headers_are_refused(headers: list[tuple[str, str]], words: str) -> None:
    """ASVS 4.1.3: no field can stand in for what a proxy says of the request itself."""
    with pytest.raises(InvalidApplication, match=words):
        parse(headers=headers)


@pytest.mark.parametrize(
    ("groups", "outcome"),
    [
        (["Staff"], InvalidGroup),
        (["staff", "a b"], InvalidGroup),
        ([f"g{number}" for number in range(33)], TooManyGroups),
    ],
)
def test_groups_that_cannot_be_are_refused(groups: list[str], outcome: type[ServiceError]) -> None:
    assert parse(groups=groups[:1] if groups[0] != "Staff" else ["staff"]).allowed_groups
    with pytest.raises(outcome):
        parse(groups=groups)


def test_name_is_kept_as_people_read_it() -> None:
    assert parse(name="  Bu\u0308cher & Co  ").name == "Bücher & Co"


def test_what_is_not_spoken_of_stays_unsaid() -> None:
    assert parse() == ApplicationDetails()
    assert parse(groups=[], headers=[]) == ApplicationDetails(allowed_groups=[], header_map={})
