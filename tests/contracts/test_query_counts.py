"""No request asks the database more than its work needs: the number of statements, per route.

What begins and ends a unit of work is not counted (BEGIN with its limits, COMMIT, the pool's ping
of a PostgreSQL connection); SAVEPOINT and RELEASE are. The first statement of whoever is signed in
finds the session and the person in one; a unit that changes something holds the session by one
more, so that it cannot end in between.
"""

from collections.abc import Callable

from flask import Flask
from sqlalchemy import event

from app.extensions import db
from tests.support.clients import Browser
from tests.support.story import tell_story

STATEMENTS = {
    "system.healthz": 0,
    "system.readyz": 2,  # is there a schema, and which version of it
    "system.openapi": 0,
    "system.docs": 0,
    "pages.show_start (anonymous)": 0,
    "pages.show_sign_in (anonymous)": 0,
    "pages.show_sign_up (anonymous)": 0,
    "pages.show_recovery (anonymous)": 0,
    "pages.show_start": 1,
    "pages.show_sign_in": 1,
    "pages.show_sign_up": 1,
    "pages.show_recovery": 1,
    # who; linked accounts; is there a passkey; passkeys; sessions; recovery codes
    "pages.show_account": 6,
    "pages.show_refusal": 1,
    "pages.show_sign_in on the way (anonymous)": 1,  # the application's name
    "pages.show_not_allowed": 3,  # who; the application; the person's groups
    "users.get_me": 1,
    "users.change_me": 3,
    "auth.begin_registration": 3,  # is the address free; store the challenge; sweep expired ones
    # consume; account in a savepoint (3); passkey in a savepoint (3); session; end the oldest
    "auth.finish_registration": 9,
    "auth.begin_authentication": 2,  # store the challenge; sweep
    "auth.begin_authentication (again)": 2,
    "auth.finish_authentication": 5,  # consume; find; record the use; session; end the oldest
    "auth.finish_authentication (again)": 5,
    "auth.begin_reauthentication": 5,  # who; store; sweep; which passkeys
    # who; consume; find; record the use; swap the token; move its children's ends
    "auth.finish_reauthentication": 7,
    "auth.get_session": 1,
    "auth.verify": 0,  # one, on a connection that the session gate holds
    "auth.list_sessions": 2,
    "auth.end_session": 3,
    "auth.end_other_sessions": 3,
    "auth.sign_out": 1,
    "auth.list_credentials": 2,
    "auth.begin_enrolment": 6,  # who; the user handle; store; sweep; which to exclude
    "auth.finish_enrolment": 8,  # who; consume; lock; is there room; passkey in a savepoint (3)
    "auth.rename_credential": 4,  # who; rename; what is left, for the signal
    # who; lock; count other ways in; delete; its removal on record (2); what is left
    "auth.remove_credential": 8,
    "auth.count_recovery_codes": 2,
    # who; hold; lock; delete the old; end recoveries under way; insert ten at once
    "auth.renew_recovery_codes": 6,
    "auth.recover": 4,  # use the code up; whose; session; end the oldest
    "auth.begin_enrolment (recovering)": 6,
    # as any enrolment, and: end the recovery session; open a full one; end the oldest
    "auth.finish_enrolment (recovering)": 11,
    "oauth.list_providers": 0,
    "oauth.authorize": 2,  # store the request; sweep
    # consume; whose identity; in a savepoint (2): whose address, an invitation, account (3),
    # identity (3); what the provider told; session; end the oldest
    "oauth.receive_callback": 15,
    "oauth.receive_callback (refused)": 2,  # who; consume
    "oauth.begin_link": 5,  # who; is there a passkey; hold; store; sweep
    # who; consume; hold; is it a step-up still; lock; whose identity; is there room; identity (3);
    # what was told
    "oauth.receive_callback (link)": 11,
    "oauth.begin_outside_reauthentication": 6,  # who; linked; passkey; hold; store; sweep
    # who; consume; hold; whose identity (2); passkey; what was told; swap the token; its children
    "oauth.receive_callback (reauthenticate)": 9,
    "oauth.list_accounts": 2,
    # who; is there a passkey; hold; lock; count other ways in; delete; its sessions
    "oauth.unlink_account": 7,
    # Each of these but the files first asks which application is at that host.
    "handover.start (anonymous)": 2,  # and the story's own: it registers the application
    "handover.start": 1,
    "handover.start (again)": 1,
    "handover.hand_over (anonymous)": 1,  # is the application at that origin
    "handover.hand_over": 5,  # the same; who; hold, and may they; store the code; sweep
    "handover.hand_over (again)": 5,
    "handover.callback (again)": 5,
    "handover.callback": 5,  # hold, and may they; consume; session; end the oldest
    "handover.callback (refused)": 4,  # hold; consume; burn
    "handover.show_refused": 3,  # who; the person's groups
    "handover.show_sign_out": 2,
    "handover.sign_out_here": 2,
    "handover.sign_out_everywhere": 2,
    "handover.send_file": 0,
}


REFUSING = {
    "pages.show_refusal",
    "pages.show_not_allowed",
    "handover.callback (refused)",
    "handover.show_refused",
}
"""Pages that have a refusal's own status."""


def test_each_request_needs_as_many_statements_as_the_table_says(
    app: Flask, new_client: Callable[[], Browser]
) -> None:
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    counts = {}
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        for label, answer in tell_story(new_client):
            assert answer.status_code < 400 or label in REFUSING, (label, answer.text)
            counts[label] = len(said)
            said.clear()
    finally:
        event.remove(engine, "before_cursor_execute", note)

    assert counts == STATEMENTS


def test_table_has_every_route(app: Flask) -> None:
    routes = {rule.endpoint for rule in app.url_map.iter_rules()} - {"static"}

    assert {label.partition(" ")[0] for label in STATEMENTS} == routes
