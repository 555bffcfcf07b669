"""Defects by which a session is handed over to whom it should not be, or outlives its root."""

from tests.mutations.mutation import Mutation

_HANDOVERS = "app/services/handovers.py"
_CHILDREN = "app/services/child_sessions.py"
_ROUTES = "app/blueprints/handover/routes.py"
_HOSTS = "app/blueprints/handover/hosts.py"
_CODES = "tests/abuse/test_handover_codes.py"
_STORY = "tests/integration/test_handover.py"
_SESSIONS = "tests/integration/test_child_sessions.py"
_AT_HOSTS = "tests/integration/test_handover_hosts.py"
_PAGES = "tests/integration/test_handover_pages.py"
_TARGETS = "tests/integration/test_handover_targets.py"

_CONSUMED = """    consumed = session.scalar(
        delete(HandoverCode)
        .where(
            HandoverCode.code_hash == code_hash,
            HandoverCode.application_id == application_id,
            HandoverCode.origin == origin,
            HandoverCode.browser_hash == browser_hash,
            HandoverCode.expires_at > clock.now(),
        )
        .returning(HandoverCode)
    )
"""
_READ = _CONSUMED.replace("delete(", "select(").replace("        .returning(HandoverCode)\n", "")
_BURN = """        session.execute(delete(HandoverCode).where(HandoverCode.code_hash == code_hash))
"""

MUTATIONS = (
    Mutation(
        name="a hand-over code is not used up",
        file=_HANDOVERS,
        old=_CONSUMED,
        new=_CONSUMED.replace("delete(", "select(").replace(
            "        .returning(HandoverCode)\n", ""
        ),
        caught_by=(f"{_CODES}::test_code_is_not_accepted_again",),
    ),
    Mutation(
        name="a hand-over code is good in any browser",
        file=_HANDOVERS,
        old="            HandoverCode.browser_hash == browser_hash,\n",
        new="",
        caught_by=(f"{_CODES}::test_code_is_not_accepted_in_another_browser",),
    ),
    Mutation(
        name="a browser without a mark counts as the empty one",
        file=_ROUTES,
        old="browser_hash=None if token is None else hash_secret(token)",
        new='browser_hash=hash_secret(token or "")',
        caught_by=(f"{_CODES}::test_browser_without_a_mark_is_nobodys",),
    ),
    Mutation(
        name="a hand-over code is good at any application",
        file=_HANDOVERS,
        old="""            HandoverCode.application_id == application_id,
            HandoverCode.origin == origin,
""",
        new="",
        caught_by=(f"{_CODES}::test_code_is_not_accepted_at_another_application",),
    ),
    Mutation(
        name="a hand-over code lasts for ever",
        file=_HANDOVERS,
        old="            HandoverCode.expires_at > clock.now(),\n",
        new="",
        caught_by=(f"{_CODES}::test_code_is_not_accepted_late",),
    ),
    Mutation(
        name="a hand-over code that leaked is kept",
        file=_HANDOVERS,
        old=_BURN,
        new="",
        caught_by=(f"{_CODES}::test_code_is_not_accepted_in_another_browser",),
    ),
    Mutation(
        name="a hand-over code that was refused works later",
        file="app/errors.py",
        old="""began in another browser."
    remembered = True
""",
        new="""began in another browser."
""",
        caught_by=(f"{_STORY}::test_code_is_good_while_its_person_may",),
    ),
    Mutation(
        name="groups count when the code is made, not when it is used",
        file=_HANDOVERS,
        old="    if not found.is_let_in or origin not in found.application.origins:",
        new="    if origin not in found.application.origins:",
        caught_by=(f"{_STORY}::test_code_is_good_while_its_person_may",),
    ),
    Mutation(
        name="a recovery session is handed over",
        file=_HANDOVERS,
        old="""            UserSession.purpose == "full",\n""",
        new="",
        caught_by=(f"{_STORY}::test_code_is_good_while_its_person_may",),
    ),
    Mutation(
        name="a root's step-up leaves its children behind",
        file="app/services/sessions.py",
        old="    move_ends_of_children(session, root=renewed)\n",
        new="",
        caught_by=(f"{_SESSIONS}::test_child_ends_with_its_roots_time_and_not_before",),
    ),
    Mutation(
        name="a child rests on its own",
        file=_CHILDREN,
        old="        idle_expires_at=root.expires_at,\n",
        new="        idle_expires_at=root.idle_expires_at,\n",
        caught_by=(f"{_SESSIONS}::test_idle_root_is_kept_alive_by_its_childs_use",),
    ),
    Mutation(
        name="any token signs out at an application",
        file=_CHILDREN,
        old="""            UserSession.token_hash == hash_secret(token),
            UserSession.application_id == application_id,
        )
        .returning""",
        new="""            UserSession.token_hash == hash_secret(token),
        )
        .returning""",
        caught_by=(f"{_PAGES}::test_another_hosts_token_signs_nobody_out",),
    ),
    Mutation(
        name="Host is believed by its beginning",
        file=_HOSTS,
        old="if host in hosts_of(one)",
        new="if any(host.startswith(name) for name in hosts_of(one))",
        caught_by=(f"{_AT_HOSTS}::test_application_is_at_its_own_hosts_alone",),
    ),
    Mutation(
        name="an application's page signs out for every origin",
        file=_HOSTS,
        old="    require_proof(place.origin)\n",
        new="",
        caught_by=(f"{_PAGES}::test_only_the_applications_own_page_signs_out",),
    ),
    Mutation(
        name="whoever has a session is sent round",
        file=_ROUTES,
        old="    if find_visitor() is not None:\n",
        new="    if find_visitor() is not None and not target:\n",
        caught_by=(f"{_AT_HOSTS}::test_person_who_has_a_good_session_is_not_sent_round",),
    ),
    Mutation(
        name="the way to an application is known by its beginning",
        file="app/blueprints/return_paths.py",
        old="    found = _HANDOVER.fullmatch(text)\n",
        new="    found = _HANDOVER.match(text)\n",
        caught_by=(
            f"{_TARGETS}::test_only_the_way_to_an_application_is_gone_on_to_within_the_api",
        ),
    ),
)
