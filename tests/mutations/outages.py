"""Defects by which a bad day of the database reaches people."""

from tests.mutations.mutation import Mutation

_ENGINE = "app/database.py"
_UNITS = "app/transaction.py"
_GUARDS = "app/blueprints/guards.py"
_DENY = "tests/faults/test_errors_deny.py::test_a_step_that_fails_denies"
_SILENT = "tests/faults/test_silent_postgresql.py"
_CLOCK = "tests/faults/test_jumping_clock.py"
_LOCKED = "tests/faults/test_locked_sqlite.py"
_LONG_LOCK = f"{_LOCKED}::test_a_long_lock_refuses_writers_in_time_and_no_session_check"

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        name="an error while a session is held is swallowed",
        file=_GUARDS,
        old="        hold_session(db.session(), session_id=held)\n",
        new="""        try:
            hold_session(db.session(), session_id=held)
        except Exception:
            _log.exception("session_not_held")
""",
        caught_by=(_DENY,),
    ),
    Mutation(
        name="a commit that failed is taken for done",
        file=_UNITS,
        old="""        session.invalidate()
        raise
""",
        new="        session.invalidate()\n",
        caught_by=(_DENY,),
    ),
    Mutation(
        name="nobody is told when to try again",
        file="app/answer_headers.py",
        old='        return {"Retry-After": RETRY_AFTER_SECONDS}\n',
        new="        return {}\n",
        caught_by=("tests/faults/test_empty_pool.py",),
    ),
    Mutation(
        name="a connection that was lost is given out",
        file=_ENGINE,
        old='        options["pool_pre_ping"] = True\n',
        new='        options["pool_pre_ping"] = False\n',
        caught_by=("tests/integration/test_postgresql.py",),
    ),
    Mutation(
        name="whoever waits for a connection waits for half a minute",
        file=_ENGINE,
        old='        "pool_timeout": settings.connect_timeout_seconds,\n',
        new='        "pool_timeout": 30,\n',
        caught_by=("tests/integration/test_pool.py",),
    ),
    Mutation(
        name="an answer that never comes is waited for",
        file=_ENGINE,
        old='    event.listen(engine, "do_connect", connect)\n',
        new="",
        caught_by=(f"{_SILENT}::test_a_server_that_falls_silent_is_given_up_on_in_time",),
    ),
    Mutation(
        name="a database that is stuck may hold every thread",
        file="app/places.py",
        old="            if not self._free:\n",
        new="            if False:\n",
        caught_by=(_LONG_LOCK,),
    ),
    Mutation(
        name="the system's time decides about a session, not the clock",
        file="app/session_checks.py",
        old="        now = clock.now()\n",
        new='        now = __import__("datetime").datetime.now().astimezone()\n',
        caught_by=(f"{_CLOCK}::test_what_is_over_by_the_clock_is_refused_wherever_it_jumps",),
    ),
    Mutation(
        name="a session that was refused as expired may come back",
        file="app/session_checks.py",
        old="            self._end({row.id, row.root_id})\n",
        new="            pass\n",
        caught_by=(f"{_CLOCK}::test_a_restart_revives_nothing",),
    ),
    Mutation(
        name="the service boots without its database",
        file="app/boot.py",
        old="""    except (DatabaseUnavailable, DBAPIError) as error:
        raise SettingsError(
            f"{named_by} names a database that does not answer or does not let this service in "
            f"({_first_line(error)}): start it, or correct the setting."
        ) from error
""",
        new="""    except (DatabaseUnavailable, DBAPIError):
        return
""",
        caught_by=(f"{_SILENT}::test_boot_without_a_database_ends_in_one_sentence",),
    ),
)
