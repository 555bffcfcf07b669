"""Defects by which a one-time value works twice, or the last way in is lost."""

from tests.mutations.mutation import Mutation

_CHALLENGES = "app/services/challenges.py"
_INVITATIONS = "app/services/invitations.py"
_RECOVERY = "app/services/recovery.py"
_WAYS_IN = "app/services/ways_in.py"
_REPLAYS = "tests/abuse/test_replayed_challenges.py"
_ONCE = "tests/abuse/test_once.py"
_INVITED = "tests/abuse/test_invitations_once.py"
_LAST = "tests/abuse/test_last_ways_in.py"

MUTATIONS = (
    Mutation(
        name="a challenge is read, and then deleted",
        file=_CHALLENGES,
        old="""        delete(Challenge)
        .where(
            Challenge.hash == hash_secret(challenge),
            Challenge.purpose == purpose,
            Challenge.browser_hash == binding.browser_hash,
            Challenge.session_id.is_not_distinct_from(binding.session_id),
            Challenge.expires_at > clock.now(),
        )
        .returning(Challenge.user_id, Challenge.payload)
    ).one_or_none()
""",
        new="""        select(Challenge.user_id, Challenge.payload)
        .where(
            Challenge.hash == hash_secret(challenge),
            Challenge.purpose == purpose,
            Challenge.browser_hash == binding.browser_hash,
            Challenge.session_id.is_not_distinct_from(binding.session_id),
            Challenge.expires_at > clock.now(),
        )
    ).one_or_none()
    session.execute(delete(Challenge).where(Challenge.hash == hash_secret(challenge)))
""",
        caught_by=(f"{_ONCE}::test_one_challenge_is_accepted_once",),
    ),
    Mutation(
        name="a challenge is good for any ceremony",
        file=_CHALLENGES,
        old="            Challenge.purpose == purpose,\n",
        new="",
        caught_by=(f"{_REPLAYS}::test_challenge_is_accepted_for_no_other_purpose",),
    ),
    Mutation(
        name="a challenge is good in any browser",
        file=_CHALLENGES,
        old="            Challenge.browser_hash == binding.browser_hash,\n",
        new="",
        caught_by=(f"{_REPLAYS}::test_challenge_is_not_accepted_in_another_browser_or_session",),
    ),
    Mutation(
        name="a challenge is good in any session",
        file=_CHALLENGES,
        old="            Challenge.session_id.is_not_distinct_from(binding.session_id),\n",
        new="",
        caught_by=(f"{_REPLAYS}::test_challenge_is_not_accepted_in_another_browser_or_session",),
    ),
    Mutation(
        name="a challenge never expires",
        file=_CHALLENGES,
        old="            Challenge.expires_at > clock.now(),\n",
        new="",
        caught_by=(f"{_REPLAYS}::test_challenge_is_not_accepted_late",),
    ),
    Mutation(
        name="a challenge is consumed together with what it is for",
        file="app/blueprints/guards.py",
        old="""            arguments |= _read_arguments(declared, level)
            result = _in_unit(level, unit, lambda: view(**arguments))
""",
        new="""            result = _in_unit(
                level, unit, lambda: view(**arguments | _read_arguments(declared, level))
            )
""",
        caught_by=(f"{_REPLAYS}::test_challenge_is_not_accepted_again",),
    ),
    Mutation(
        name="a refusal is remembered together with what went before it",
        file="app/errors.py",
        old="""    code = "credential_already_registered"
""",
        new="""    code = "credential_already_registered"
    remembered = True
""",
        caught_by=("tests/abuse/test_failed_ceremonies.py",),
    ),
    Mutation(
        name="a link for the first administrator is good for a second one",
        file=_INVITATIONS,
        old=" & ~administrators.exists()",
        new="",
        caught_by=(
            f"{_INVITED}::test_link_made_while_the_first_administrator_signs_up_makes_no_second_one",
        ),
    ),
    Mutation(
        name="a recovery code that was used is good again",
        file=_RECOVERY,
        old="""            RecoveryCode.used_at.is_(None),
            RecoveryCode.expires_at.is_(None) | (""",
        new="            RecoveryCode.expires_at.is_(None) | (",
        caught_by=(f"{_ONCE}::test_one_code_opens_one_session",),
    ),
    Mutation(
        name="a recovery code is redeemed without a lock on its owner",
        file=_RECOVERY,
        old="        .with_for_update(key_share=True, of=User)\n",
        new="",
        caught_by=("tests/abuse/test_recovery_at_once.py",),
    ),
    Mutation(
        name="ways in are counted before the person is locked",
        file=_WAYS_IN,
        old="    query = query.with_for_update(key_share=True)\n",
        new="",
        caught_by=(f"{_LAST}::test_two_who_remove_the_last_two_passkeys_leave_one",),
    ),
    Mutation(
        name="administrators are counted without being locked",
        file=_WAYS_IN,
        old="        .with_for_update(key_share=True)\n",
        new="",
        caught_by=(f"{_LAST}::test_administrators_who_turn_on_each_other_leave_one",),
    ),
    Mutation(
        name="an address is free if it was when the sign-up began",
        file="app/services/people.py",
        old="""    with conflicts(session, {"uq_users_email_canonical": AddressTaken}):
        session.add(user)
""",
        new="    session.add(user)\n    session.flush()\n",
        caught_by=("tests/abuse/test_sign_ups_at_once.py",),
    ),
    Mutation(
        name="addresses are compared as they were written",
        file="app/services/addresses.py",
        old="valid.local_part.casefold()",
        new="valid.local_part",
        caught_by=("tests/abuse/test_sign_ups_at_once.py",),
    ),
)
