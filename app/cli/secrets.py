"""``flask secrets``: replace the keys that everything sealed derives from."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import click
from flask.cli import with_appcontext

from app.cli.unit import run, service_settings
from app.services.resealing import (
    SEALED_COLUMNS,
    Batch,
    SealedColumn,
    count_by_key,
    count_outdated,
    reseal_batch,
)
from app.services.sealing import Sealer

INTERRUPTED = "Interrupted. What was sealed anew so far stays so: run this again for the rest."
OPENS_NOTHING = "opens nothing: remove it, or put it first if it is the new one"


@dataclass(kw_only=True)
class _Outcome:
    resealed: int = 0
    unsealable: int = 0


@click.group("secrets")
def secrets_group() -> None:
    """Replace the keys that everything sealed in the database derives from."""


@secrets_group.command("rotate")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
@with_appcontext
def rotate_command(dry_run: bool) -> None:  # noqa: FBT001 - click's way
    """Seal everything anew that was sealed with an older key of SECRET_KEYS.

    First give every process the new key: put it last in SECRET_KEYS and restart them all, then
    put it first and restart them again. Then run this, while the service serves; it says which
    keys open nothing any more. It can be interrupted and run again, and two at once do no harm.

    What cannot be opened, since its key was removed or it was damaged, is left as it is, and the
    exit status is 1.

    docs/secrets.md tells what is sealed, and what a lost key costs.

    \b
    Examples:
      flask secrets rotate --dry-run
      flask secrets rotate
    """  # noqa: D301 (click wants the backspace itself)
    sealer = Sealer(service_settings().secret_keys)
    try:
        outcome = _reseal_all(sealer, dry_run=dry_run)
    except KeyboardInterrupt as interruption:
        raise click.ClickException(INTERRUPTED) from interruption
    verb = "would be" if dry_run else "were"
    click.echo(f"{_values(outcome.resealed)} {verb} sealed anew with the newest key.")
    for line in _needed_keys(sealer):
        click.echo(line)
    if outcome.unsealable:
        raise click.ClickException(
            f"{_values(outcome.unsealable)} cannot be opened: the key was removed from SECRET_KEYS "
            "too early, or the database was changed by hand. Put the key back last and run this "
            "again; without it, people are asked to link their accounts again."
        )


def _reseal_all(sealer: Sealer, *, dry_run: bool) -> _Outcome:
    outcome = _Outcome()
    outdated = run(lambda session: count_outdated(session, sealer), writes=False)
    with click.progressbar(
        length=outdated, label="Sealing", file=sys.stderr, hidden=not _is_terminal()
    ) as bar:
        for column in SEALED_COLUMNS:
            for batch in _batches(column, sealer, dry_run=dry_run):
                outcome.resealed += batch.resealed
                outcome.unsealable += batch.unsealable
                bar.update(batch.seen)
    return outcome


def _is_terminal() -> bool:
    return sys.stderr.isatty()


def _batches(column: SealedColumn, sealer: Sealer, *, dry_run: bool) -> Iterator[Batch]:
    after: str | bytes | None = None
    while True:
        unit = partial(reseal_batch, sealed=column, sealer=sealer, after=after, dry_run=dry_run)
        batch = run(unit, writes=not dry_run)
        yield batch
        if (after := batch.last) is None:
            return


def _needed_keys(sealer: Sealer) -> Iterator[str]:
    counts = run(lambda session: count_by_key(session, sealer), writes=False)
    yield "SECRET_KEYS, newest first:"
    for position, (key_id, count) in enumerate(counts.items(), 1):
        if position == 1:
            state = f"seals what is new; {_values(count)}"
        else:
            state = f"still needed: {_values(count)}" if count else OPENS_NOTHING
        yield f"{position}  {key_id}  {state}"


def _values(count: int) -> str:
    return f"{count} value{'' if count == 1 else 's'}"
