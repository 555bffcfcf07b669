"""Defects by which a kill or a failing disk loses or halves something."""

from tests.mutations.mutation import Mutation

_AT_EACH_WRITE = ("tests/faults/test_killed_at_each_write.py",)
_FAILING_DISK = ("tests/faults/test_failing_disk.py",)
_FULL_DISK = ("tests/faults/test_full_disk.py",)
_WRITERS = ("tests/faults/test_sqlite_writers.py",)

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        name="the person is committed before their passkey",
        file="app/services/registration.py",
        old="""            groups=grant.groups,
        )
""",
        new="""            groups=grant.groups,
        )
        session.commit()
        session.connection(execution_options={"writes": True})
""",
        caught_by=_AT_EACH_WRITE,
    ),
    Mutation(
        name="a recovery code is used up before it opens anything",
        file="app/services/recovery.py",
        old="""        .returning(RecoveryCode.user_id)
    )
""",
        new="""        .returning(RecoveryCode.user_id)
    )
    session.commit()
    session.connection(execution_options={"writes": True})
""",
        caught_by=_AT_EACH_WRITE,
    ),
    Mutation(
        name="SQLite does not wait for the disk",
        file="app/database.py",
        old="PRAGMA synchronous=FULL",
        new="PRAGMA synchronous=OFF",
        caught_by=_FAILING_DISK,
    ),
    Mutation(
        name="a file that cannot be read is an internal error",
        file="app/transaction.py",
        old=" or is_unreadable(cause)",
        new="",
        caught_by=_FAILING_DISK,
    ),
    Mutation(
        name="whoever is to be written as seen is refused where that fails",
        file="app/blueprints/guards.py",
        old="""        _log.warning("last_seen_not_written", session_id=active.id)
""",
        new="""        _log.warning("last_seen_not_written", session_id=active.id)
        raise
""",
        caught_by=_FULL_DISK,
    ),
    Mutation(
        name="SQLite's writers do not wait for each other",
        file="app/database.py",
        old="BUSY_TIMEOUT_SECONDS = 5",
        new="BUSY_TIMEOUT_SECONDS = 0",
        caught_by=_WRITERS,
    ),
)
