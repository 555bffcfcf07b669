"""The registry of applications: one host for one of them, whoever registers at the same moment."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import clock
from app.errors import ApplicationTaken, InvalidApplication, NotFound, NotSignedIn
from app.models import HandoverCode, UserSession
from app.services.application_details import ApplicationDetails, parse_details
from app.services.applications import (
    RegisteredApplication,
    add_application,
    change_application,
    describe_application,
    end_some_sessions,
    find_application,
    get_application,
    list_applications,
    remove_application,
)
from app.services.devices import Device
from app.services.handovers import Destination, make_code, redeem_code
from tests.conftest import Transaction
from tests.support.counts import trials
from tests.support.crowds import at_once, both_at_once
from tests.support.rows import a_session, a_user, an_application
from tests.support.tables import contents, count
from tests.support.units import run_unit, wait_for
from tests.support.variables import ORIGIN

BROWSER = b"b" * 32
SHARED = "https://shared.example.org"
DESTINATION = Destination(
    application_id="wiki",
    origin="https://wiki.example.org",
    browser_hash=BROWSER,
    return_to="/",
)


def add(app: Flask, application_id: str, *origins: str) -> RegisteredApplication | None:
    """Register an application; None where an id or a host is taken."""
    details = parse_details(
        name=application_id, origins=origins, public_origin=ORIGIN, plain_http_allowed=True
    )
    return or_none(
        lambda: run_unit(
            app,
            lambda session: add_application(
                session, application_id=application_id, details=details, public_origin=ORIGIN
            ),
        )
    )


def move(app: Flask, application_id: str, *origins: str) -> RegisteredApplication | None:
    """Give an application other origins; None where a host is taken."""
    details = parse_details(origins=origins, public_origin=ORIGIN, plain_http_allowed=True)
    return or_none(
        lambda: run_unit(
            app,
            lambda session: change_application(
                session, application_id=application_id, details=details, public_origin=ORIGIN
            ),
        )[0]
    )


def or_none(act: Callable[[], RegisteredApplication]) -> RegisteredApplication | None:
    try:
        return act()
    except ApplicationTaken:
        return None


def hosts(app: Flask) -> list[str]:
    def unit(session: Session) -> list[str]:
        return [origin for one in list_applications(session) for origin in one.origins]

    return run_unit(app, unit, writes=False)


def test_one_of_two_who_register_a_host_at_once_gets_it(app: Flask) -> None:
    for _ in range(trials(50)):
        both = at_once([partial(add, app, name, SHARED) for name in ("notes", "wiki")])

        assert both.count(None) == 1
        assert hosts(app) == [SHARED]
        (winner,) = [one for one in both if one]
        run_unit(app, partial(remove_application, application_id=winner.id))


def test_one_of_two_who_register_an_id_at_once_gets_it(app: Flask) -> None:
    for _ in range(trials(50)):
        origins = ["https://a.example.org", "https://b.example.org"]
        both = at_once([partial(add, app, "wiki", origin) for origin in origins])

        assert both.count(None) == 1
        run_unit(app, partial(remove_application, application_id="wiki"))


def test_one_of_two_who_move_to_a_host_at_once_gets_it(app: Flask) -> None:
    for _ in range(trials(50)):
        for name in ("notes", "wiki"):
            add(app, name, f"https://{name}.example.org")

        both = at_once([partial(move, app, name, SHARED) for name in ("notes", "wiki")])

        assert both.count(None) == 1
        assert hosts(app).count(SHARED) == 1
        for name in ("notes", "wiki"):
            run_unit(app, partial(remove_application, application_id=name))


def test_two_applications_may_be_under_paths_of_this_host(app: Flask) -> None:
    assert add(app, "files", ORIGIN)
    assert add(app, "wiki", ORIGIN)


def test_application_may_have_several_ports_of_its_own_host(app: Flask) -> None:
    assert add(app, "wiki", SHARED, f"{SHARED}:8443")
    assert add(app, "notes", f"{SHARED}:9443") is None
    assert move(app, "wiki", f"{SHARED}:8443")
    assert add(app, "notes", "https://notes.example.org")


def test_application_without_a_name_or_an_origin_is_refused(app: Flask) -> None:
    before = contents(app)
    for details in (ApplicationDetails(name="Wiki"), ApplicationDetails(origins=[SHARED])):
        unit = partial(
            add_application, application_id="wiki", details=details, public_origin=ORIGIN
        )
        with pytest.raises(InvalidApplication):
            run_unit(app, unit)
    assert contents(app) == before


@pytest.mark.parametrize("application_id", ["wikis", "", "WIKI", "wiki\x00", "\udcff", "w" * 9_999])
def test_unknown_id_of_any_form_is_not_found(
    app: Flask, transaction: Transaction, application_id: str
) -> None:
    """It comes from a URL as well, and no database takes every text."""
    with transaction() as session:
        session.add(an_application("wiki"))
    with transaction() as session:
        assert find_application(session, application_id) is None
        with pytest.raises(NotFound):
            get_application(session, application_id)
        assert get_application(session, "wiki").id == "wiki"


def test_what_is_told_of_an_application_is_as_it_was_registered(transaction: Transaction) -> None:
    with transaction() as session:
        session.add(
            an_application("wiki", allowed_groups=["staff"], header_map={"name": "Remote-Name"})
        )
    with transaction() as session:
        told = describe_application(get_application(session, "wiki"))

    assert (told.id, told.name, told.origins) == ("wiki", "Wiki", ("https://wiki.example.org",))
    assert told.allowed_groups == ("staff",)
    assert told.header_map == {"name": "Remote-Name"}


def test_sessions_end_a_few_at_once_and_no_others(
    app: Flask, transaction: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.applications._ENDED_AT_ONCE", 2)
    user, wiki, notes = a_user(), an_application("wiki"), an_application("notes")
    with transaction() as session:
        session.add_all([user, wiki, notes])
        session.flush()
        session.add_all([a_session(user, application=wiki) for _ in range(3)])
        session.add_all([a_session(user, application=notes), a_session(user)])

    steps = [run_unit(app, partial(end_some_sessions, application_id="wiki")) for _ in range(3)]

    assert steps == [(2, True), (1, False), (0, False)]
    assert count(app, UserSession) == 2


def arrange(transaction: Transaction) -> str:
    """Register an application, and give the id of the session of somebody who signed in."""
    with transaction() as session:
        session.add_all([user := a_user(), an_application("wiki")])
        session.flush()
        session.add(root := a_session(user))
        root.expires_at = root.idle_expires_at = clock.now() + timedelta(hours=1)
    return root.id


def test_nobody_is_handed_over_to_what_is_being_removed(
    app: Flask, transaction: Transaction
) -> None:
    """Who removes it waits for whoever is on the way, and ends that session as well."""
    root_id = arrange(transaction)
    opened, removing = threading.Event(), threading.Event()
    code = run_unit(app, partial(make_code, root_id=root_id, destination=DESTINATION))

    def arrive(session: Session) -> None:
        redeem_code(
            session,
            code=code,
            application_id="wiki",
            origin=DESTINATION.origin,
            browser_hash=BROWSER,
            device=Device(label="Firefox on Linux", network=None),
            replaces=None,
        )
        opened.set()
        wait_for(removing)
        time.sleep(0.3)

    def remove() -> int:
        wait_for(opened)
        removing.set()
        return run_unit(app, partial(remove_application, application_id="wiki"))

    _, ended = both_at_once(partial(run_unit, app, arrive), remove)

    assert ended == 1
    assert count(app, UserSession) == 1


def test_no_code_is_made_for_what_was_removed_meanwhile(
    app: Flask, transaction: Transaction
) -> None:
    root_id = arrange(transaction)
    removed, asked = threading.Event(), threading.Event()

    def remove(session: Session) -> None:
        remove_application(session, application_id="wiki")
        removed.set()
        wait_for(asked)
        time.sleep(0.3)

    def ask() -> str:
        wait_for(removed)
        asked.set()
        with pytest.raises((NotFound, NotSignedIn)) as refused:
            run_unit(app, partial(make_code, root_id=root_id, destination=DESTINATION))
        return refused.value.code

    _, code = both_at_once(partial(run_unit, app, remove), ask)

    assert code in {"not_found", "not_signed_in"}
    assert count(app, HandoverCode) == 0
