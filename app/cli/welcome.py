"""``flask welcome``: where the service is, and how the first administrator gets in."""

import click
from flask.cli import with_appcontext

from app.cli.unit import run
from app.cli.users import CLOSED, is_registration_closed, public_origin
from app.services.invitations import invite_first_administrator
from app.services.roles import has_administrator


@click.command("welcome")
@with_appcontext
def welcome_command() -> None:
    """Print the service's address, and a link for the first administrator while there is none.

    The link creates one account that administers the service. Each call makes a new one and voids
    the last; once an administrator exists, there are no more.
    """
    origin = public_origin()
    click.echo(f"openbadges-system: {origin}/")
    if run(has_administrator, writes=False):
        return
    if is_registration_closed():
        click.echo(f"There is no administrator yet. {CLOSED}")
        return
    token = run(invite_first_administrator)
    click.echo("There is no administrator yet. This link, good once and for a day, makes you one:")
    click.echo(f"  {origin}/sign-up#invitation={token}")
