"""``flask users``: invite people, help them back in, give them roles and groups."""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlencode

import click
from flask.cli import with_appcontext

from app.cli.unit import run, service_settings
from app.config import Registration
from app.models import Role, User
from app.services.addresses import parse_address
from app.services.groups import change_groups, groups_of, parse_groups
from app.services.invitations import INVITATION_TTL, invite
from app.services.people import Person, describe, get_user_by_address_or_id, list_users
from app.services.recovery import LINK_TTL, make_link_code
from app.services.roles import change_role

CLOSED = "REGISTRATION is closed, and no link creates an account then: set it to invite first."
_PAGE = 100
T = TypeVar("T")


@click.group("users")
def users_group() -> None:
    """Invite people, help them back in, give them roles and groups."""


@users_group.command("invite")
@click.argument("address")
@click.option("--admin", is_flag=True, help="The new account administers the service.")
@click.option(
    "--group", "groups", multiple=True, metavar="GROUP", help="The new account is in this group."
)
@with_appcontext
def invite_command(
    address: str,
    admin: bool,  # noqa: FBT001 - click's way
    groups: tuple[str, ...],
) -> None:
    """Print a one-time link with which the owner of ADDRESS creates an account.

    Nothing is sent: hand the link over yourself. It is good for a day and for one account; a
    second invitation of the same address voids the first.
    """
    origin = public_origin()
    if is_registration_closed():
        raise click.ClickException(CLOSED)
    wanted = run(lambda _session: parse_address(address), writes=False)
    role: Role = "admin" if admin else "user"
    named = run(lambda _session: parse_groups(groups), writes=False)
    token = run(lambda session: invite(session, address=wanted, role=role, groups=named))
    fragment = urlencode({"invitation": token, "email": wanted.written})
    click.echo(f"{origin}/sign-up#{fragment}")
    _say(f"Good for one account and {INVITATION_TTL.total_seconds() / 3600:.0f} hours.")


@users_group.command("recover")
@click.argument("named", metavar="ADDRESS_OR_ID")
@with_appcontext
def recover_command(named: str) -> None:
    """Print a one-time link with which the owner of an account makes a new passkey.

    ADDRESS_OR_ID is the account's address, or its id as `flask users list` prints it: an account
    may have no address, and one that is not proved may be somebody else's.

    For somebody who lost every passkey and every recovery code: make sure, by other means, that
    it is them. The link opens their account to a new passkey and to nothing else; it is good for
    an hour, and a second one voids the first. Standard output is the link alone; whose account it
    opens stands on standard error.
    """
    origin = public_origin()
    account, code = run(
        lambda session: _act_on(
            get_user_by_address_or_id(session, named),
            lambda user: make_link_code(session, user=user),
        )
    )
    _say(f"For {_name_of(account)}.")
    _warn_of_unproved_address(account)
    click.echo(f"{origin}/recovery#code={code}")
    _say(f"Good once, for {LINK_TTL.total_seconds() / 60:.0f} minutes.")


@users_group.command("role")
@click.argument("named", metavar="ADDRESS_OR_ID")
@click.argument("role", type=click.Choice(["user", "admin"]))
@with_appcontext
def role_command(named: str, role: Role) -> None:
    """Make the owner of an account an administrator, or a user again.

    ADDRESS_OR_ID is the account's address, or its id as `flask users list` prints it: an account
    may have no address, and one that is not proved may be somebody else's.

    Their sessions end at once, so that the new role begins with a new sign-in. The last
    administrator stays one.
    """
    account, ended = run(
        lambda session: _act_on(
            get_user_by_address_or_id(session, named),
            lambda user: change_role(session, user=user, role=role),
        )
    )
    click.echo(f"{_name_of(account)}, has the role {role} now; {ended} of their sessions ended.")
    _warn_of_unproved_address(account)


@users_group.command("groups")
@click.argument("named", metavar="ADDRESS_OR_ID")
@click.option("--add", multiple=True, metavar="GROUP", help="Put them into this group.")
@click.option("--remove", multiple=True, metavar="GROUP", help="Take them out of this group.")
@with_appcontext
def groups_command(named: str, add: tuple[str, ...], remove: tuple[str, ...]) -> None:
    """Print the groups that a person is in; with --add and --remove, change them first.

    ADDRESS_OR_ID is the account's address, or its id as `flask users list` prints it: an account
    may have no address, and one that is not proved may be somebody else's.

    Applications let people in by their groups (`flask apps`). A change binds on the next request,
    in every session; nobody has to sign in again. Standard output has a group a line; whose they
    are stands on standard error.

    \b
    Example:
      flask users groups ada@example.org --add staff --add editors --remove guests
    """  # noqa: D301 (click wants the backspace itself)
    if add or remove:
        account, change = run(
            lambda session: _act_on(
                get_user_by_address_or_id(session, named),
                lambda user: change_groups(session, user_id=user.id, add=add, remove=remove),
            )
        )
        _warn_of_unproved_address(account)
    else:
        account, change = run(
            lambda session: _act_on(get_user_by_address_or_id(session, named), groups_of),
            writes=False,
        )
    _say(f"For {_name_of(account)}.")
    for group in change.present:
        _say(f"They were in {group} already.")
    for group in change.absent:
        _say(f"They were not in {group}.")
    for group in change.groups:
        click.echo(group)
    if not change.groups:
        _say("In no group.")


@users_group.command("list")
@click.option("--limit", type=click.IntRange(1), help="List at most so many.")
@click.option("--after", metavar="ID", help="Begin behind the person with this id.")
@with_appcontext
def list_command(limit: int | None, after: str | None) -> None:
    """List people in the order in which they came.

    A line tells the id, role, state, standing of the address, address, name. An address is proved
    once an identity provider vouched for it; anybody could have signed up with one that is
    unproved. An account with "-" has none, and one with "lost" has none any more, because
    somebody else proved it. The other commands take the ids.
    """
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
    person = describe(user)
    state = "disabled" if user.disabled_at else "enabled"
    columns = [f"{person.role:5}", f"{state:8}", f"{_standing(person):8}"]
    return person.id, "  ".join([person.id, *columns, person.email or "-", person.name])


def _standing(person: Person) -> str:
    if person.email is None:
        return "lost" if person.address_lost_at else "-"
    return "proved" if person.email_verified else "unproved"


def _act_on(user: User, act: Callable[[User], T]) -> tuple[Person, T]:
    outcome = act(user)
    return describe(user), outcome


def _name_of(person: Person) -> str:
    # The name comes last: its owner chose it, and it must not pass for the id or the address.
    address = person.email or "no address"
    mark = " (not proved)" if _standing(person) == "unproved" else ""
    return f"{person.id}, {address}{mark}, {person.name}"


def _warn_of_unproved_address(person: Person) -> None:
    if _standing(person) == "unproved":
        _say(
            f"Warning: nobody has proved the address {person.email}, and anybody could have signed "
            f"up with it when the account was created, on {person.created_at:%Y-%m-%d at %H:%M} "
            "UTC: make sure that the account is theirs."
        )


def _say(sentence: str) -> None:
    # To standard error, so that a script reads the link alone.
    click.echo(sentence, err=True)
