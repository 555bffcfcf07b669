"""What the repeated tests count is told truly, or nothing that they say can be believed."""

import pytest

from tests.support.tally import Tally, table


@pytest.fixture
def tally() -> Tally:
    return Tally(subject="Once means once", kind="a challenge again", engine="sqlite")


def test_trials_without_findings_pass(tally: Tally) -> None:
    for number in range(3):
        with tally.trial():
            assert number < 3

    assert tally.conclude() is None
    assert tally.tried == 3


def test_failed_assertion_is_a_finding_and_the_next_trial_goes_on(tally: Tally) -> None:
    for number in range(3):
        with tally.trial():
            assert number != 1, "the second was accepted"

    told = tally.conclude()
    assert told is not None
    assert told.startswith("1 findings in 3 trials, the first:\nthe second was accepted")


def test_anything_but_an_assertion_ends_the_test(tally: Tally) -> None:
    with pytest.raises(ZeroDivisionError), tally.trial():
        raise ZeroDivisionError


def test_nothing_tried_is_no_success(tally: Tally) -> None:
    assert tally.conclude() == "nothing was tried"


def test_table_adds_up_by_subject_kind_and_engine(tally: Tally) -> None:
    tally.count(1200)
    tally.finding("accepted twice")
    elsewhere = Tally(subject=tally.subject, kind=tally.kind, engine="postgresql", tried=7)
    neither = Tally(subject="Hostile input", kind="CBOR", engine="none", tried=5)

    printed = table(each.as_property() for each in (tally, elsewhere, neither, tally))

    assert printed.splitlines()[2:] == [
        "| Hostile input | CBOR | - | - | 5 | 0 |",
        "| Once means once | a challenge again | 2,400 | 7 | - | 2 |",
    ]
