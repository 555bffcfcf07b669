"""The API against its own description: whatever the document allows or forbids, from anybody.

A18; ASVS 2.2.1. Every operation is asked over the wire, by a stranger and by somebody signed in,
with values that fit the document and with values that do not.
"""

from collections.abc import Callable, Mapping
from contextlib import closing

from tests.support.counts import trials
from tests.support.deployments import Deployment
from tests.support.described import Asker, Operation, load, operations
from tests.support.outsiders import linked_account
from tests.support.people import (
    SESSION_COOKIE,
    Person,
    add_passkey,
    json_of,
    passkeys,
    sign_in,
    sign_up,
    token_of,
)
from tests.support.tally import Tally

NewTally = Callable[[str, str], Tally]

EXAMPLES = 50
"""Of values that fit and of values that do not, for each operation in the full run."""

BY_DEVICE = {
    "finish_registration",
    "finish_authentication",
    "finish_reauthentication",
    "finish_enrolment",
}
NEVER_DONE = BY_DEVICE | {"recover", "begin_outside_reauthentication", "hand_over"}
"""What takes an authenticator, a code, a person without passkeys, an application: other tests
have them."""
SAYS_WHOSE = "verify"
"""To a stranger it says 401, though it is public: proxies ask it."""
AT_A_PROVIDER = {"authorize", "receive_callback", "begin_link", "begin_outside_reauthentication"}
UNSAYABLE = NEVER_DONE | AT_A_PROVIDER | {"begin_registration", "change_me", "rename_credential"}
"""What has rules of its own for addresses, names and providers, beside the schema's."""
DONE = {200, 201, 204, 303}


def spare_session(deployment: Deployment, person: Person) -> tuple[str, str]:
    """Sign the person in once more; gives the session's id and its cookie."""
    browser = deployment.browser()
    assert sign_in(browser, person.phone).status_code == 200
    session_id = json_of(browser.get("/api/auth/session"))["session"]["id"]
    return session_id, f"{SESSION_COOKIE}={token_of(browser)}"


def own_id(deployment: Deployment, person: Person, operation: str) -> str:
    """Give the id of something that is the person's own, and of which they have another."""
    if operation == "end_session":
        return spare_session(deployment, person)[0]
    if operation == "unlink_account":
        return linked_account(deployment.app, person)
    return str(passkeys(person.client)[-1]["id"])


def public_ones(described: Mapping[str, Operation]) -> list[str]:
    return [name for name, one in described.items() if not one.definition.raw["security"]]


def test_stranger_is_answered_as_described(deployment: Deployment, new_tally: NewTally) -> None:
    tally = new_tally("Hostile input", "the document's requests, by a stranger")
    document = json_of(deployment.browser().get("/openapi.json"))
    described = operations(load(document, port=deployment.server.port))
    public = public_ones(described)

    with closing(Asker(tally=tally, unsayable=UNSAYABLE)) as asker:
        for operation in described.values():
            asker.try_values(operation, examples=trials(EXAMPLES))
        for name in public:
            asker.try_edges(described[name])
            if name in AT_A_PROVIDER:
                asker.try_on(described[name], examples=trials(EXAMPLES), provider="github")

    done = {name for name, statuses in asker.statuses.items() if statuses & DONE}
    assert asker.statuses.keys() == described.keys()
    assert done == set(public) - NEVER_DONE - {SAYS_WHOSE}
    assert all(401 in asker.statuses[name] for name in described.keys() - set(public))


def test_somebody_signed_in_is_answered_as_described(
    deployment: Deployment, new_tally: NewTally
) -> None:
    tally = new_tally("Hostile input", "the document's requests, signed in")
    document = json_of(deployment.browser().get("/openapi.json"))
    described = operations(load(document, port=deployment.server.port))
    public = public_ones(described)

    with closing(Asker(tally=tally, unsayable=UNSAYABLE)) as asker:
        for name, operation in described.items():
            # Anew for each, so that none of them asks too late for what takes a step-up.
            person = sign_up(deployment.browser(), email=f"{name}@example.org")
            add_passkey(person)
            asker.cookie = f"{SESSION_COOKIE}={token_of(person.client)}"
            if name == "sign_out":
                _, asker.cookie = spare_session(deployment, person)
            if "{id}" in operation.path:
                own = own_id(deployment, person, name)
                asker.try_on(operation, examples=trials(EXAMPLES), id=own)
            if name in AT_A_PROVIDER:
                asker.try_on(operation, examples=trials(EXAMPLES), provider="github")
            asker.try_values(operation, examples=trials(EXAMPLES))
            if name not in public:
                asker.try_edges(operation)

    done = {name for name, statuses in asker.statuses.items() if statuses & DONE}
    assert asker.statuses.keys() == described.keys()
    assert done == described.keys() - NEVER_DONE
