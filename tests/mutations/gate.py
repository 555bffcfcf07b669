"""Defects by which the session gate lets somebody in, or is kept waiting."""

from tests.mutations.mutation import Mutation

_GATE = "app/session_gate.py"
_CHECKS = "app/session_checks.py"
_ACCESS = "app/services/access.py"
_HELD = "app/held_connections/__init__.py"
_CONNECTION = "app/gate_server/connection.py"

_WHO = ("tests/integration/test_session_gate.py",)
_SERVER = ("tests/integration/test_gate_server.py",)
_LIMITS = ("tests/integration/test_gate_server_limits.py",)
_ODD = ("tests/abuse/test_gate_requests.py",)
_SEEN = ("tests/integration/test_last_seen.py",)
_OUTAGES = "tests/faults/test_gate_outages.py"

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        name="a session for an application is good without it",
        file=_GATE,
        old="""            if row.application_id is not None:
                raise NotSignedIn
        else:
""",
        new="""            pass
        else:
""",
        caught_by=_WHO,
    ),
    Mutation(
        name="an application on a host of its own takes the service's session",
        file=_GATE,
        old="        if row.application_id != owner:\n",
        new="        if row.application_id not in {None, owner}:\n",
        caught_by=_WHO,
    ),
    Mutation(
        name="another site may ask an application to change something",
        file=_GATE,
        old="        if is_from_elsewhere(environ, origins):\n",
        new="        if is_from_elsewhere(environ, origins) and not origins:\n",
        caught_by=_WHO,
    ),
    Mutation(
        name="a person's groups are remembered",
        file=_GATE,
        old="        if not may_use(groups, allowed_groups=",
        new="""        known = self.__dict__.setdefault("known", {})
        groups = known.setdefault(row.user_id, groups)
        if not may_use(groups, allowed_groups=""",
        caught_by=("tests/abuse/test_revocation_at_once.py",),
    ),
    Mutation(
        name="a database that is away is taken for a missing session",
        file=_GATE,
        old="        return self._answers.refusal(type(refusal))\n",
        new="        return self._answers.refusal(NotSignedIn)\n",
        caught_by=(
            "tests/contracts/test_gate_parity.py::test_without_a_database_they_are_refused_alike",
        ),
    ),
    Mutation(
        name="whoever asks about a request with OPTIONS is told that it is fine",
        file="app/blueprints/auth/sessions.py",
        old='@blueprint.get("/verify", provide_automatic_options=False)\n',
        new='@blueprint.get("/verify")\n',
        caught_by=_ODD,
    ),
    Mutation(
        name="of a requirement that comes twice, the last counts",
        file=_ACCESS,
        old="    if len(asked) < len(pairs) or not all",
        new="    if not all",
        caught_by=("tests/unit/test_access.py",),
    ),
    Mutation(
        name="an application's id ends where PostgreSQL thinks so",
        file=_ACCESS,
        old=""" or "\\0" in "".join(asked.values()):""",
        new=":",
        caught_by=("tests/unit/test_access.py",),
    ),
    Mutation(
        name="a name is told as it is written",
        file="app/services/identity_headers.py",
        old='    return quote(text, safe=safe, errors="replace")\n',
        new='    return text if safe else ""\n',
        caught_by=("tests/unit/test_identity_headers.py",),
    ),
    Mutation(
        name="a check is lost with its connection",
        file=_HELD,
        old="""database is away.
                self.close()
""",
        new="""database is away.
                self.close()
                raise
""",
        caught_by=(f"{_OUTAGES}::test_a_connection_that_was_ended_costs_no_check",),
    ),
    Mutation(
        name="a connection is held for ever",
        file=_HELD,
        old="self._connection is not None and time.monotonic() < self._keep_until",
        new="self._connection is not None",
        caught_by=("tests/integration/test_held_connections.py",),
    ),
    Mutation(
        name="a check waits for an answer for ever",
        file="app/held_connections/postgresql.py",
        old="if left <= 0 or not self._readable.poll(left * 1000):",
        new="if not self._readable.poll():",
        caught_by=(f"{_OUTAGES}::test_a_postgresql_that_falls_silent_is_given_up_on_in_time",),
    ),
    Mutation(
        name="whoever asks writes down that the session is in use",
        file=_CHECKS,
        old="            self._last_seen.note(row.root_id)\n",
        new="""            self._last_seen.note(row.root_id)
            self._last_seen.write()
""",
        caught_by=_SEEN,
    ),
    Mutation(
        name="a recovery session is put off by its use",
        file=_CHECKS,
        old='        if row.is_due and row.purpose == "full":\n',
        new="        if row.is_due:\n",
        caught_by=_SEEN,
    ),
    Mutation(
        name="each check with an old token writes",
        file=_CHECKS,
        old="        if row.ends_now:\n",
        new="        if not row.is_in_time:\n",
        caught_by=_SEEN,
    ),
    Mutation(
        name="the workers of a gate that was killed serve on",
        file="app/gate_server/worker.py",
        old="        while not stop.is_set() and self.ppid == os.getppid():\n",
        new="        while not stop.is_set():\n",
        caught_by=("tests/contracts/test_gate_command.py",),
    ),
    Mutation(
        name="what follows a body is read as a request",
        file=_CONNECTION,
        old="""            environ.get("CONTENT_LENGTH", "0") != "0"
            or "HTTP_TRANSFER_ENCODING" in environ
            or self""",
        new="            self",
        caught_by=_SERVER,
    ),
    Mutation(
        name="a header's name with an underscore stands for another one",
        file=_CONNECTION,
        old="""    if b"_" in name:\n        return None\n""",
        new="",
        caught_by=_SERVER,
    ),
    Mutation(
        name="answers of one connection overtake each other",
        file=_CONNECTION,
        old="        if self._unanswered == 1:\n",
        new="        if self._waiting:\n",
        caught_by=_SERVER,
    ),
    Mutation(
        name="an answer splits where a header of the gate's does",
        file="app/gate_server/open_connections.py",
        old="""        if not head.count("\\n") == head.count("\\r") == len(lines) - 1:\n""",
        new="        if not lines:\n",
        caught_by=_SERVER,
    ),
    Mutation(
        name="a head that comes drop by drop puts its own end off",
        file=_CONNECTION,
        old="        if self._is_in_head and self._environ is environ:\n",
        new="""        if self._is_in_head and self._environ is environ:
            self._wait(STALL_SECONDS)
""",
        caught_by=_LIMITS,
    ),
    Mutation(
        name="a refusal is taken away by the end of its connection",
        file=_CONNECTION,
        old="                self._transport.write_eof()\n",
        new="                self._transport.close()\n",
        caught_by=_LIMITS,
    ),
    Mutation(
        name="the database is asked for somebody who has gone",
        file=_CONNECTION,
        old="        self._waiting.clear()\n",
        new="",
        caught_by=_LIMITS,
    ),
)
