"""A16: providers tell every lie there is to four workers, and honest ones are believed next.

Each lie is told by a tenant of its own, whose metadata and keys no worker has kept yet.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import pytest

from tests.conftest import NewTally
from tests.support.counts import trials
from tests.support.crowds import at_once
from tests.support.databases import ScratchDatabases
from tests.support.deployments import Deployment, deployed
from tests.support.lie import HONEST, Lie
from tests.support.lies import BY_NAME, CERTIFICATION_PLAN, LIES
from tests.support.lies_announced import METADATA, RESPONSES
from tests.support.lies_answered import ENDPOINTS, TOKENS, USERINFO
from tests.support.lies_claimed import LIES as CLAIMED
from tests.support.lies_further import IMPLICIT_ANSWER, JSON_WITHOUT_SIGNATURES, REDIRECTS
from tests.support.lies_further import LIES as FURTHER
from tests.support.lies_keyed import LIES as KEYED
from tests.support.lies_signed import LIES as SIGNED
from tests.support.outside_accounts import went_on
from tests.support.people import json_of, sign_up
from tests.support.tenants import Tenants, name_of, tenants
from tests.support.told_lies import NEIGHBOUR, Witness, assert_refused

SUBJECT = "Lying providers"
PLAN = [lie for lie in LIES if {*lie.covers} & {*CERTIFICATION_PLAN}]
UNPROVED = [lie for lie in USERINFO if lie.accepts]
REPLAYED = BY_NAME["replayed-id-token"]
SLOW = [lie for lie in ENDPOINTS if lie.is_slow]
BROKEN = [lie for lie in ENDPOINTS if not lie.is_slow]


@pytest.fixture(scope="module")
def let() -> Iterator[Tenants]:
    with tenants([NEIGHBOUR, *map(name_of, (*LIES, *FURTHER))]) as running:
        running.by_name[NEIGHBOUR].person["email"] = "ada@example.org"
        yield running


@pytest.fixture(scope="module")
def kept_deployment(
    let: Tenants, scratch_database: ScratchDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """Serve to all the tenants instead."""
    folder = tmp_path_factory.mktemp("deployment")
    with deployed({**scratch_database(), **let.variables()}, folder) as running:
        yield running


@pytest.fixture
def witness(deployment: Deployment, let: Tenants) -> Witness:
    return Witness(deployment=deployment, tenants=let)


def see(witness: Witness, new_tally: NewTally, kind: str, lie: Lie) -> None:
    with new_tally(SUBJECT, kind).trial():
        (witness.see_accepted if lie.accepts else witness.see_refused)(lie)


def others(lies: Sequence[Lie]) -> list[Lie]:
    return [lie for lie in lies if lie not in (*PLAN, REPLAYED)]


def in_every_run(lies: Sequence[Lie], *, share: int) -> list[Lie]:
    """Choose some of the lies for the quick run, evenly; all of them for the full one."""
    return [*lies[:: 1 if trials(10) == 10 else share]]


@pytest.mark.parametrize("lie", PLAN, ids=str)
def test_certification_plan_is_passed(witness: Witness, new_tally: NewTally, lie: Lie) -> None:
    """OC-13, OC-1 to OC-10: the fourteen modules of the plan for basic relying parties.

    client-test, invalid-iss, missing-sub, invalid-aud, missing-iat, kid-absent-single-jwks,
    kid-absent-multiple-jwks, sig-rs256, sig-none, invalid-sig-rs256, userinfo-invalid-sub,
    nonce-invalid, scope-userinfo-claims, client-secret-basic.
    """
    see(witness, new_tally, "a module of the certification plan", lie)


@pytest.mark.parametrize(
    "lie", in_every_run([*others([*SIGNED, *KEYED]), JSON_WITHOUT_SIGNATURES], share=3), ids=str
)
def test_hostile_signature_is_refused(witness: Witness, new_tally: NewTally, lie: Lie) -> None:
    """OC-4, OC-5, OC-14.

    CVE-2024-37568, CVE-2026-27962, CVE-2026-28802, CVE-2026-96760, CVE-2026-114616,
    CVE-2025-59420, CVE-2026-32597, CVE-2025-61920.
    """
    see(witness, new_tally, "a signature or a key", lie)


def test_token_of_an_earlier_sign_in_is_refused(witness: Witness, new_tally: NewTally) -> None:
    """CVE-2025-46815."""
    witness.see_honest(witness.deployment.browser(), name_of(REPLAYED))
    assert witness.provider(name_of(REPLAYED)).issued

    see(witness, new_tally, "a signature or a key", REPLAYED)


@pytest.mark.parametrize("lie", in_every_run(others(CLAIMED), share=3), ids=str)
def test_hostile_claim_is_refused(witness: Witness, new_tally: NewTally, lie: Lie) -> None:
    """OC-1, OC-2, OC-3, OC-6, OC-7, OC-8, OC-14.

    CVE-2026-114617, CVE-2026-75509, CVE-2024-53861, CVE-2026-55669.
    """
    see(witness, new_tally, "a claim", lie)


@pytest.mark.parametrize("lie", in_every_run(others([*METADATA, *RESPONSES]), share=3), ids=str)
def test_false_announcement_is_refused(witness: Witness, new_tally: NewTally, lie: Lie) -> None:
    """OA-4: metadata and authorization responses.

    CVE-2026-104056, CVE-2026-73419, CVE-2026-41425.
    """
    see(witness, new_tally, "metadata or an authorization response", lie)


@pytest.mark.parametrize("lie", in_every_run(others([*TOKENS, *USERINFO]), share=3), ids=str)
def test_false_answer_is_refused_or_proves_no_address(
    witness: Witness, new_tally: NewTally, lie: Lie
) -> None:
    """OC-10, OC-11, OC-12.

    CVE-2026-73420, CVE-2022-35924.
    """
    see(witness, new_tally, "a token response or UserInfo", lie)


@pytest.mark.parametrize("lie", UNPROVED, ids=str)
def test_address_that_is_not_proved_opens_nobodys_account(
    witness: Witness, new_tally: NewTally, lie: Lie
) -> None:
    """OC-11, OC-12, CVE-2025-61783."""
    email = "jane@example.org"
    owner = sign_up(witness.deployment.browser(), email=email)
    client = witness.deployment.browser()

    with new_tally(SUBJECT, "an address of somebody else's, not proved").trial():
        assert went_on(witness.hear(lie, client))
        assert json_of(client.get("/api/auth/session"))["user"]["id"] != owner.user["id"]
        assert json_of(owner.client.get("/api/auth/session"))["user"]["email"] == email
        assert witness.granted() == (2, 1, 2)


def test_only_codes_are_asked_for_and_taken(witness: Witness, new_tally: NewTally) -> None:
    """OA-5: an implicit answer signs nobody in."""
    see(witness, new_tally, "an implicit answer", IMPLICIT_ANSWER)

    questions = witness.provider(name_of(IMPLICIT_ANSWER)).questions
    asked = {(one.query.get("response_type"), one.form.get("grant_type")) for one in questions}
    assert asked == {("code", None), (None, "authorization_code"), (None, None)}


@pytest.mark.parametrize("lie", in_every_run(BROKEN, share=5), ids=str)
def test_broken_answer_is_refused_and_not_kept(
    witness: Witness, new_tally: NewTally, lie: Lie
) -> None:
    """CVE-2025-61920: the liar itself is believed right after."""
    with new_tally(SUBJECT, "a broken answer").trial():
        witness.see_refused(lie, then=name_of(lie))


def test_answers_without_end_hold_up_nobody(witness: Witness, new_tally: NewTally) -> None:
    """All at once, and an honest sign-in among them; each ends within the provider's ten seconds.

    CVE-2025-61920.
    """
    tally = new_tally(SUBJECT, "an answer without end")
    lies = in_every_run(SLOW, share=6)
    honest = partial(witness.hear, HONEST, witness.deployment.browser(), NEIGHBOUR)
    heard = [partial(witness.hear, lie, witness.deployment.browser()) for lie in lies]

    first, *answers = at_once([honest, *heard])

    assert went_on(first)
    for lie, answer in zip(lies, answers, strict=True):
        with tally.trial():
            assert_refused(answer, lie)
    assert witness.granted() == (1, 1, 1)
    witness.see_honest(witness.deployment.browser())


@pytest.mark.parametrize("lie", in_every_run(REDIRECTS, share=5), ids=str)
def test_redirect_is_not_followed(
    witness: Witness, new_tally: NewTally, let: Tenants, lie: Lie
) -> None:
    """To this machine, where somebody listens."""
    with new_tally(SUBJECT, "a redirect to this machine").trial():
        witness.see_refused(lie, then=name_of(lie))
        assert let.strayed == []
