"""Defects by which an outside account opens what it should not."""

from tests.mutations.mutation import Mutation

_REQUESTS = "app/services/authorization_requests.py"
_SIGN_IN = "app/services/outside_sign_in.py"
_REPLAYS = "tests/abuse/test_replayed_states.py"
_AT_ONCE = "tests/abuse/test_outside_accounts_at_once.py"
_STORIES = "tests/integration/test_outside_sign_in.py"
_LINKED = "tests/integration/test_linked_accounts.py"
_STEP_UP = "tests/integration/test_outside_step_up.py"
_RACES = "tests/integration/test_outside_races.py"

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        name="a state is good in any browser",
        file=_REQUESTS,
        old="        request.browser_hash == binding.browser_hash,\n",
        new="",
        caught_by=(f"{_REPLAYS}::test_an_answer_is_not_accepted_in_another_browser",),
    ),
    Mutation(
        name="a state is good at any provider",
        file=_REQUESTS,
        old="""        request.provider == audience.provider,
        request.issuer == audience.issuer,
""",
        new="",
        caught_by=(f"{_REPLAYS}::test_an_answer_is_not_accepted_at_another_provider",),
    ),
    Mutation(
        name="a state is good for ever",
        file=_REQUESTS,
        old="        request.expires_at > clock.now(),\n",
        new="",
        caught_by=(f"{_REPLAYS}::test_an_answer_is_not_accepted_late",),
    ),
    Mutation(
        name="a link ends in any session",
        file=_REQUESTS,
        old="""        or_(request.session_id.is_(None), request.session_id == binding.session_id),
        or_(request.user_id.is_(None), request.user_id == binding.user_id),
""",
        new="",
        caught_by=(f"{_REPLAYS}::test_an_answer_is_not_accepted_to_another_end",),
    ),
    Mutation(
        name="a state is consumed together with what it is for",
        file="app/blueprints/oauth/routes.py",
        old="    finished = round_trips.finish(provider, query)\n",
        new="""    from app.transaction import with_transaction

    finished = with_transaction(lambda _session: round_trips.finish(provider, query))
""",
        caught_by=(f"{_REPLAYS}::test_an_answer_is_not_accepted_again",),
    ),
    Mutation(
        name="whoever was second at a first sign-in is refused",
        file=_SIGN_IN,
        old="""            if found is not None:
                return found
""",
        new="",
        caught_by=(f"{_AT_ONCE}::test_sixteen_first_sign_ins_with_one_account_make_one_person",),
    ),
    Mutation(
        name="an address is taken whoever has proved it",
        file="app/services/address_proofs.py",
        old="    if holder.email_verified_at is not None:",
        new="    if holder.email_verified_at is not None and not holder.name:",
        caught_by=(
            f"{_AT_ONCE}::test_sixteen_accounts_with_one_proved_address_make_one_person",
            f"{_STORIES}::test_an_address_that_is_proved_for_somebody_merges_nothing",
        ),
    ),
    Mutation(
        name="an address that a provider does not prove is taken",
        file="app/services/external_claims.py",
        old="    if not external.email_verified or external.email is None:",
        new="    if external.email is None:",
        caught_by=(f"{_STORIES}::test_an_address_that_the_provider_does_not_prove_is_not_taken",),
    ),
    Mutation(
        name="an account that is somebody else's is linked over",
        file="app/services/identities.py",
        old="""        raise IdentityAlreadyLinked(reason="it opens another person's account")""",
        new="        identity.user_id = user_id",
        caught_by=(f"{_LINKED}::test_an_account_that_opens_somebody_elses_is_not_linked",),
    ),
    Mutation(
        name="any account at the provider steps up",
        file=_SIGN_IN,
        old="        if found is None or found[1].id != active.person.id:",
        new="        if found is None:",
        caught_by=(f"{_STEP_UP}::test_a_step_up_by_another_account_is_refused",),
    ),
    Mutation(
        name="an outside account stands in for a passkey",
        file="app/services/ways_in.py",
        old="select(identity & ~passkey)",
        new="select(identity)",
        caught_by=(f"{_STEP_UP}::test_whoever_has_a_passkey_confirms_with_it",),
    ),
    Mutation(
        name="an identity of a provider that is switched off counts as a way in",
        file="app/services/ways_in.py",
        old="Identity.user_id == user_id, Identity.issuer.in_(issuers))",
        new="Identity.user_id == user_id)",
        caught_by=(f"{_LINKED}::test_a_provider_that_is_switched_off_is_no_way_in",),
    ),
    Mutation(
        name="a sign-in counts as a step-up, however long ago the provider asked",
        file="app/blueprints/step_up.py",
        old="min(active.authenticated_at, active.auth_time or active.authenticated_at)",
        new="active.authenticated_at",
        caught_by=(f"{_STEP_UP}::test_a_sign_in_that_the_provider_let_through_is_no_step_up",),
    ),
    Mutation(
        name="a link is finished however weak the session is by now",
        file="app/blueprints/oauth/round_trips.py",
        old="    require_step_up(active, at=consumed.begun_at)\n",
        new="",
        caught_by=(f"{_LINKED}::test_a_link_is_not_finished_once_a_passkey_is_what_it_takes",),
    ),
    Mutation(
        name="the sessions of an account that was unlinked go on",
        file="app/services/identities.py",
        old="    end_sessions_opened_by(session, authenticator_id=row_id, keep=keep)\n",
        new="",
        caught_by=(f"{_LINKED}::test_unlinking_ends_the_sessions_that_the_account_opened",),
    ),
    Mutation(
        name="a link is finished for a session that has ended",
        file="app/blueprints/oauth/round_trips.py",
        old="""    hold_session(db.session(), session_id=active.id)
    # A passkey""",
        new="    # A passkey",
        caught_by=(f"{_RACES}::test_a_session_that_ends_during_the_round_trip_gains_nothing",),
    ),
    Mutation(
        name="a round trip begins for a session that has ended",
        file=_REQUESTS,
        old="        hold_session(session, session_id=binding.session_id)\n",
        new="        pass\n",
        caught_by=(
            f"{_RACES}::test_a_session_that_ends_while_a_round_trip_begins_leaves_no_request",
        ),
    ),
    Mutation(
        name="whoever signs in with an outside account is not locked",
        file="app/services/identities.py",
        old="        .with_for_update(key_share=True, of=User)\n",
        new="",
        caught_by=(
            f"{_RACES}::test_a_sign_in_during_a_role_change_gets_the_lifetimes_of_the_new_role",
        ),
    ),
    Mutation(
        name="whoever holds an address is not locked while it is taken",
        file="app/services/address_proofs.py",
        old="        .with_for_update(key_share=True)\n",
        new="",
        caught_by=(
            f"{_RACES}::test_an_address_that_its_holder_proves_at_this_moment_stays_theirs",
        ),
    ),
)
