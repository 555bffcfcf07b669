"""Defects by which an upgrade is not repeatable, or a release serves on what does not fit it."""

from tests.mutations.mutation import Mutation

ENV = "migrations/env.py"
SCHEMA = "app/services/schema.py"
AT_ONCE = "tests/faults/test_upgrades_at_once.py"
KILLED = "tests/faults/test_killed_upgrades.py"
FAILING = "tests/faults/test_failing_upgrades.py"
LOCKED_OUT = (
    "tests/faults/test_rolling_deploys.py::"
    "test_upgrade_that_waits_for_a_lock_gives_up_before_anybody_else_does"
)
FIT = "tests/integration/test_schema_fit.py"

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        name="the upgrade's lock on PostgreSQL ends with the first COMMIT",
        file=ENV,
        old="SELECT pg_advisory_lock(:key)",
        new="SELECT pg_advisory_xact_lock(:key)",
        caught_by=(AT_ONCE,),
    ),
    Mutation(
        name="an upgrade of SQLite begins without the write lock",
        file=ENV,
        old='"BEGIN IMMEDIATE"',
        new='"BEGIN"',
        caught_by=(AT_ONCE,),
    ),
    Mutation(
        name="a migration commits half way",
        file="migrations/versions/002_oauth.py",
        old="    create_identities()\n    create_authorization_requests()\n",
        new=(
            "    create_identities()\n"
            '    op.execute("COMMIT")\n'
            "    create_authorization_requests()\n"
        ),
        caught_by=(KILLED,),
    ),
    Mutation(
        name="a failed upgrade exits with 0",
        file=ENV,
        old="        progress.failed(error)\n        sys.exit(1)\n",
        new="        progress.failed(error)\n        return\n",
        caught_by=(FAILING,),
    ),
    Mutation(
        name="a migration is said to be completed before its COMMIT",
        file=ENV,
        old="        self._uncommitted.append(\n",
        new="        click.echo(\n",
        caught_by=(FAILING,),
    ),
    Mutation(
        name="an upgrade waits for a table longer than people do",
        file=ENV,
        old='LOCK_TIMEOUT = "2s"',
        new='LOCK_TIMEOUT = "10s"',
        caught_by=(LOCKED_OUT,),
    ),
    Mutation(
        name="a later schema is served on whatever it says",
        file=SCHEMA,
        old="    if len(has) > 1 or not is_above_floor(connection):\n",
        new="    if len(has) > 1:\n",
        caught_by=(FIT,),
    ),
    Mutation(
        name="an earlier schema is served on",
        file=SCHEMA,
        old="    if has <= set(REVISIONS):\n",
        new="    if not has:\n",
        caught_by=(FIT,),
    ),
    Mutation(
        name="the boot does not look at the schema",
        file="app/boot.py",
        old="        with_transaction(require_fitting_schema, writes=False)\n",
        new="",
        caught_by=(FIT,),
    ),
)
