"""Defects by which a session outlives its end, or another site may ask."""

from tests.mutations.mutation import Mutation

_ENDS = ("tests/abuse/test_ended_sessions_at_once.py",)
_MATRIX = ("tests/abuse/test_same_origin_matrix.py",)
_COOKIES = ("tests/abuse/test_tossed_cookies.py",)

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        name="the session of somebody who is disabled is found",
        file="app/services/session_lookup.py",
        old="User.disabled_at.is_(None)",
        new="User.id.is_not(None)",
        caught_by=_ENDS,
    ),
    Mutation(
        name="only the idle end of a session counts",
        file="app/services/session_lookup.py",
        old="and_(session.idle_expires_at > _NOW, session.expires_at > _NOW)",
        new="and_(session.idle_expires_at > _NOW)",
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
        file="app/session_checks.py",
        old="        found = self._held.find(shape.__name__, values)\n",
        new="""        known = self.__dict__.setdefault("known", {})
        found = known[token] = known.get(token) or self._held.find(shape.__name__, values)
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
        file="app/cookie_header.py",
        old="(?:\\A|;)[ \\t]*{re.escape(name)}",
        new="(?:\\A|;)\\s*{re.escape(name)}",
        caught_by=_COOKIES,
    ),
    Mutation(
        name="Origin is compared only beside Sec-Fetch-Site",
        file="app/blueprints/same_origin.py",
        old="    if given is not None and given != origin:",
        new="    if site is not None and given not in {None, origin}:",
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
