"""``flask users``: invite people, help them back in, give them roles."""

from urllib.parse import urlencode

import click
from flask.cli import with_appcontext

from app.cli.unit import run, service_settings
from app.config import Registration
from app.models import Role, User
from app.services.addresses import parse_address
from app.services.invitations import INVITATION_TTL, invite
from app.services.people import get_user_by_address, list_users
from app.services.recovery import LINK_TTL, make_link_code
from app.services.roles import change_role

CLOSED = "REGISTRATION is closed, and no link creates an account then: set it to invite first."
_PAGE = 100


@click.group("users")
def users_group() -> None:
    """Invite people, help them back in, give them roles."""


@users_group.command("invite")
@click.argument("address")
@click.option("--admin", is_flag=True, help="The new account administers the service.")
@with_appcontext
def invite_command(address: str, admin: bool) -> None:  # noqa: FBT001 - click's way
    """Print a one-time link with which the owner of ADDRESS creates an account.

    Nothing is sent: hand the link over yourself. It is good for a day and for one account; a
    second invitation of the same address voids the first.
    """
    origin = public_origin()
    if is_registration_closed():
        raise click.ClickException(CLOSED)
    wanted = run(lambda _session: parse_address(address), writes=False)
    role: Role = "admin" if admin else "user"
    token = run(lambda session: invite(session, address=wanted, role=role))
    fragment = urlencode({"invitation": token, "email": wanted.written})
    click.echo(f"{origin}/sign-up#{fragment}")
    _say(f"Good for one account and {INVITATION_TTL.total_seconds() / 3600:.0f} hours.")


@users_group.command("recover")
@click.argument("address")
@with_appcontext
def recover_command(address: str) -> None:
    """Print a one-time link with which the owner of ADDRESS makes a new passkey.

    For somebody who lost every passkey and every recovery code: make sure, by other means, that
    it is them. The link opens their account to a new passkey and to nothing else; it is good for
    an hour, and a second one voids the first.
    """
    origin = public_origin()
    code = run(lambda s: make_link_code(s, user=get_user_by_address(s, address)))
    click.echo(f"{origin}/recovery#code={code}")
    _say(f"Good once, for {LINK_TTL.total_seconds() / 60:.0f} minutes.")


@users_group.command("role")
@click.argument("address")
@click.argument("role", type=click.Choice(["user", "admin"]))
@with_appcontext
def role_command(address: str, role: Role) -> None:
    """Make the owner of ADDRESS an administrator, or a user again.

    Their sessions end at once, so that the new role begins with a new sign-in. The last
    administrator stays one.
    """
    ended = run(lambda s: change_role(s, user=get_user_by_address(s, address), role=role))
    click.echo(f"{address} has the role {role} now; {ended} of their sessions ended.")


@users_group.command("list")
@click.option("--limit", type=click.IntRange(1), help="List at most so many.")
@click.option("--after", metavar="ID", help="Begin behind the person with this id.")
@with_appcontext
def list_command(limit: int | None, after: str | None) -> None:
    """List people in the order in which they came: id, role, state, address, name."""
    rows = _page(after, limit)
    if not rows:
        _say("Nobody.")
    while rows:
        for _, line in rows:
            click.echo(line)
        limit = None if limit is None else limit - len(rows)
        rows = _page(rows[-1][0], limit)


def public_origin() -> str:
    """Give the address that links begin with."""
    return service_settings().public_origin


def is_registration_closed() -> bool:
    """Tell whether no link could create an account."""
    return service_settings().registration is Registration.CLOSED


def _page(after: str | None, limit: int | None) -> list[tuple[str, str]]:
    size = _PAGE if limit is None else min(_PAGE, limit)
    return run(
        lambda session: [_row(user) for user in list_users(session, after=after, limit=size)],
        writes=False,
    )


def _row(user: User) -> tuple[str, str]:
    state = "disabled" if user.disabled_at else "enabled"
    return user.id, "  ".join(
        [user.id, f"{user.role:5}", f"{state:8}", user.email or "-", user.name]
    )


def _say(sentence: str) -> None:
    # To standard error, so that a script reads the link alone.
    click.echo(sentence, err=True)
