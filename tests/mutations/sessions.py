"""Defects by which a session outlives its end, or another site may ask."""

from tests.mutations.mutation import Mutation

_ENDS = ("tests/abuse/test_ended_sessions_at_once.py",)
_MATRIX = ("tests/abuse/test_same_origin_matrix.py",)
_COOKIES = ("tests/abuse/test_tossed_cookies.py",)

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        name="the session of somebody who is disabled is found",
        file="app/services/sessions.py",
        old="""            UserSession.expires_at > now,
            User.disabled_at.is_(None),
        )
    )
    found =""",
        new="""            UserSession.expires_at > now,
        )
    )
    found =""",
        caught_by=_ENDS,
    ),
    Mutation(
        name="only the idle end of a session counts",
        file="app/services/sessions.py",
        old="""            UserSession.parent_id.is_(None),
            UserSession.idle_expires_at > now,
            UserSession.expires_at > now,
            User.disabled_at""",
        new="""            UserSession.parent_id.is_(None),
            UserSession.idle_expires_at > now,
            User.disabled_at""",
        caught_by=_ENDS,
    ),
    Mutation(
        name="a change of role ends no session",
        file="app/services/roles.py",
        old="    return end_all_sessions(session, user_id=user.id)",
        new="    return 0",
        caught_by=_ENDS,
    ),
    Mutation(
        name="a worker remembers whose a token was",
        file="app/blueprints/current.py",
        old="    active = with_transaction(\n",
        new="""    known = current_app.extensions.setdefault("known_sessions", {})
    active = known[token] = known.get(token) or with_transaction(
""",
        caught_by=_ENDS,
    ),
    Mutation(
        name="a change does not ask again whether the session is still good",
        file="app/blueprints/guards.py",
        old="        hold_session(db.session(), session_id=held)\n",
        new="",
        caught_by=("tests/integration/test_ended_sessions.py",),
    ),
    Mutation(
        name="a sign-in leaves the session that the browser held",
        file="app/services/sessions.py",
        old="""    if replaces is not None:
        end_session_by_token(session, token=replaces)
""",
        new="",
        caught_by=("tests/abuse/test_fixation.py",),
    ),
    Mutation(
        name="of two step-ups at once each swaps the token",
        file="app/services/sessions.py",
        old="token_hash=case((is_the_first, hash_secret(token)), else_=UserSession.token_hash),",
        new="token_hash=hash_secret(token),",
        caught_by=("tests/abuse/test_step_up_alongside.py",),
    ),
    Mutation(
        name="of two cookies the first counts",
        file="app/blueprints/cookies.py",
        old="    if len(values) > 1:\n",
        new="    if not values and header.startswith(name):\n",
        caught_by=_COOKIES,
    ),
    Mutation(
        name="a cookie's name is freed of all white space",
        file="app/blueprints/cookies.py",
        old='part.strip(" \\t").partition',
        new="part.strip().partition",
        caught_by=_COOKIES,
    ),
    Mutation(
        name="Origin is compared only beside Sec-Fetch-Site",
        file="app/blueprints/baseline.py",
        old="    if origin is not None and origin != current.settings().public_origin:",
        new="    if site is not None and origin not in {None, current.settings().public_origin}:",
        caught_by=_MATRIX,
    ),
    Mutation(
        name="a form is read as JSON",
        file="app/blueprints/bodies.py",
        old="""    if request.mimetype != "application/json":""",
        new="""    if request.mimetype.startswith("multipart/"):""",
        caught_by=_MATRIX,
    ),
)
