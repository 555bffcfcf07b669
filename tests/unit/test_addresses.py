"""A7: every spelling of an address is one canonical form, or it is refused."""

# ruff: noqa: RUF001 - letters that are mistaken for others are what this is about

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidAddress
from app.services.addresses import parse_address

LONGEST_LOCAL, LONGEST_LABEL = "a" * 64, "b" * 63
LONGEST = f"a@{LONGEST_LABEL}.{'c' * 63}.{'d' * 63}.{'e' * 60}"

SPELLINGS = {
    "ada@example.org": ["ADA@Example.ORG", "Ada@example.org", "ada@EXAMPLE。ORG"],
    "a.da@example.org": ["A.DA@example.org"],
    "ada+tag@example.org": ["Ada+Tag@example.org"],
    "adá@example.org": ["ada\u0301@example.org", "ADÁ@example.org", "ADA\u0301@example.org"],
    "zoë@xn--bcher-kva.example": [
        "Zoë@Bücher.example",
        "ZOE\u0308@BU\u0308CHER.EXAMPLE",
        "zoë@XN--BCHER-KVA.example",
    ],
    "strasse@example.org": ["straße@example.org", "STRASSE@example.org", "STRAẞE@example.org"],
    "ada@xn--strae-oqa.example": ["ada@straße.example", "ada@STRAẞE.example"],
    "σ@example.org": ["Σ@example.org", "ς@example.org"],
    "αι@example.org": ["α\u0345@example.org", "ᾳ@example.org", "ΑΙ@example.org"],
    "k@example.org": ["K@example.org", "\u212a@example.org"],  # the kelvin sign is K in NFC
    f"{LONGEST_LOCAL}@example.org": [f"{LONGEST_LOCAL.upper()}@example.org"],
    "a!#$%&'*+-/=?^_`{|}~z@example.org": ["A!#$%&'*+-/=?^_`{|}~Z@example.org"],
    "ada@example.test": ["ada@EXAMPLE.test"],
    LONGEST: [LONGEST.upper()],
}
CASES = [
    (each, canonical) for canonical, group in SPELLINGS.items() for each in [canonical, *group]
]


@pytest.mark.parametrize(("text", "canonical"), CASES, ids=[ascii(text)[:40] for text, _ in CASES])
def test_spelling_has_its_canonical_form(text: str, canonical: str) -> None:
    assert parse_address(text).canonical == canonical


LOOKALIKES = [
    *("ada@example.org", "ada@example.com", "a.da@example.org", "ada+x@example.org"),
    *("аda@example.org", "ıda@example.org", "ida@example.org", "İda@example.org"),
    *("ada@strasse.example", "ada@straße.example", "ada@еxample.org"),
]


def test_addresses_that_only_look_alike_stay_apart() -> None:
    """Only the provider knows whether dots and tags matter; letters of other scripts do."""
    assert len({parse_address(text).canonical for text in LOOKALIKES}) == len(LOOKALIKES)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Ada@Example.ORG", "Ada@example.org"),
        ("ADA\u0301@example.org", "ADÁ@example.org"),
        ("straße@example.org", "straße@example.org"),
        ("Zoë@xn--bcher-kva.example", "Zoë@bücher.example"),
    ],
)
def test_address_is_kept_as_its_owner_writes_it(text: str, written: str) -> None:
    """CVE-2019-19844: mail goes to what was written, never to what it was folded to."""
    assert parse_address(text).written == written


REFUSED = {
    "empty": "",
    "no at sign": "ada",
    "nothing before it": "@example.org",
    "nothing behind it": "ada@",
    "two at signs": "a@b@example.org",
    "three at signs": "a@evil.test@b@example.org",
    "full-width at sign": "ada＠example.org",
    "full-width letter": "ａda@example.org",
    "full-width full stop": "ada@example．org",
    "small at sign": "ada﹫example.org",
    "ligature": "ﬁ@example.org",
    "ligature in the domain": "ada@ﬁ.example",
    "long s": "ſ@example.org",
    "digraph": "Ǆ@example.org",
    "superscript": "ada²@example.org",
    "no-break space": "ada@example.org\u00a0",
    "unassigned": "\u0378@example.org",
    "private use": "\ue000@example.org",
    "lone surrogate": "\ud800@example.org",
    "two, with a comma": "a@example.org,b@example.org",
    "two, with a semicolon": "a@example.org;b@example.org",
    "two, with a space": "a@example.org b@example.org",
    "display name": "Ada <ada@example.org>",
    "comment": "ada(comment)@example.org",
    "scheme": "mailto:ada@example.org",
    "query": "ada@example.org?cc=eve@example.org",
    "quoted": '"ada"@example.org',
    "quoted space": '"a da"@example.org',
    "quoted at sign": '"ada@evil.test"@example.org',
    "space before": " ada@example.org",
    "space behind": "ada@example.org ",
    "space inside": "a da@example.org",
    "space in the domain": "ada@exa mple.org",
    "full stop behind": "ada@example.org.",
    "full stop first": ".ada@example.org",
    "full stop last": "ada.@example.org",
    "two full stops": "a..da@example.org",
    "empty label": "ada@example..org",
    "NUL": "a\0da@example.org",
    "line break": "ada@example.org\n",
    "header": "ada@example.org\r\nBcc: eve@example.org",
    "tab": "a\tda@example.org",
    "delete": "a\x7fda@example.org",
    "joiner": "a\u200dda@example.org",
    "right to left": "a\u202eda@example.org",
    "soft hyphen": "ada@exam\u00adple.org",
    "combining first": "\u0301ada@example.org",
    "single label": "ada@example",
    "localhost": "ada@localhost",
    "reserved domain": "ada@example.invalid",
    "address literal": "ada@[127.0.0.1]",
    "IPv4 address": "ada@127.0.0.1",
    "underscore": "ada@ex_ample.org",
    "hyphen first": "ada@-example.org",
    "broken A-label": "ada@xn--zz-.example",
    "emoji domain": "ada@😀.example",
    "local part too long": f"{LONGEST_LOCAL}a@example.org",
    "label too long": f"ada@{LONGEST_LABEL}b.org",
    "too long": f"a{LONGEST}",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_is_not_one_plain_address_is_refused(text: str) -> None:
    """CVE-2022-35924, CVE-2026-40574, CVE-2026-73420."""
    with pytest.raises(InvalidAddress):
        parse_address(text)


LETTERS = st.text(st.characters(categories=["L", "M", "N"]), min_size=1, max_size=8)


@given(LETTERS, st.sampled_from(["example.org", "BÜCHER.example", "bu\u0308cher.example"]))
def test_canonical_form_is_its_own(local_part: str, domain: str) -> None:
    """And every spelling in between has it: composed, decomposed, in capitals or small."""
    try:
        canonical = parse_address(f"{local_part}@{domain}").canonical
    except InvalidAddress:
        return

    assert parse_address(canonical).canonical == canonical
    for form in ("NFC", "NFD"):
        spelt = unicodedata.normalize(form, local_part)
        assert parse_address(f"{spelt}@{domain.upper()}").canonical == canonical
