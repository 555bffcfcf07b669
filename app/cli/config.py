"""flask config: what the service would run with, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import click
import flask
from flask.cli import with_appcontext

from app.config import Settings
from app.errors import SettingsError


@click.command("config")
@with_appcontext
def config_command() -> None:
    """Print the effective settings, and where each came from.

    Secrets are masked, also the passwords inside database addresses, so the table may be shown to
    others. The last column says environment, the file that a ..._FILE variable names, default or
    generated.

    Where a setting is wrong or missing, one sentence after the table says which and what to do, and
    the exit status is 1; variables that could not be read then are left out of the table.

    docs/configuration.md explains every variable.

    \b
    Examples:
      flask config
      APP_ENV=development flask config
      PUBLIC_ORIGIN=https://id.example.org flask config
    """  # noqa: D301 (click wants the backspace itself)
    settings = cast("Settings", flask.current_app.extensions["openbadges"])
    for line in table(settings.origins_of_values):
        click.echo(line)
    try:
        _ = settings.service
    except SettingsError as problem:
        click.echo(f"\n{problem}", err=True)
        raise click.exceptions.Exit(1) from problem


def table(origins_of_values: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """Yield one aligned line for each variable, a heading first."""
    rows = [("Variable", "Value", "From")]
    rows += [(name, value, origin) for name, (value, origin) in origins_of_values.items()]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, value, origin in rows:
        yield f"{name:<{widths[0]}}  {value:<{widths[1]}}  {origin}"
