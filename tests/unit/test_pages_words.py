"""Times and languages, as the pages write them."""

import re
from datetime import UTC, datetime

import pytest

from app.blueprints.pages.languages import languages_for
from app.blueprints.pages.moments import rfc3339, utc_day, utc_words

MORNING = datetime(2026, 3, 3, 9, 5, 7, 999_999, tzinfo=UTC)
TAG = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")


def test_machines_read_rfc_3339_to_the_second() -> None:
    assert rfc3339(MORNING) == "2026-03-03T09:05:07Z"


def test_people_read_the_day_the_time_and_the_zone() -> None:
    assert utc_words(MORNING) == "3 March 2026, 09:05 UTC"
    assert utc_day(MORNING) == "3 March 2026"


@pytest.mark.parametrize(("month", "name"), [(1, "January"), (5, "May"), (12, "December")])
def test_every_month_has_its_english_name(month: int, name: str) -> None:
    assert utc_day(MORNING.replace(month=month)) == f"3 {name} 2026"


def test_no_preference_comes_first_and_is_no_language() -> None:
    assert languages_for(None)[0] == ("", "No preference")


def test_each_language_is_offered_once_under_a_tag() -> None:
    tags, labels = zip(*languages_for(None)[1:], strict=True)

    assert all(TAG.fullmatch(tag) for tag in tags)
    assert len(set(tags)) == len(tags) == len(set(labels))


@pytest.mark.parametrize("chosen", ["de", "pt-BR", ""])
def test_choice_among_those_offered_adds_nothing(chosen: str) -> None:
    assert languages_for(chosen) == languages_for(None)


def test_choice_from_elsewhere_is_offered_too() -> None:
    assert languages_for("gsw-CH") == [*languages_for(None), ("gsw-CH", "gsw-CH")]
