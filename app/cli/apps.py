"""``flask apps``: which applications are behind the proxy, where, and for whom."""

from collections.abc import Sequence

import click
from flask.cli import with_appcontext

from app.cli.apps_nginx import nginx_command
from app.cli.unit import run, service_settings
from app.config import Environment
from app.services.application_details import ApplicationDetails, parse_details
from app.services.applications import (
    RegisteredApplication,
    add_application,
    change_application,
    describe_application,
    end_some_sessions,
    get_named_application,
    gives_origins_up,
    list_applications,
    remove_application,
)
from app.services.identity_headers import FIELDS, HEADERS

_GROUP = click.option(
    "--group", "groups", multiple=True, metavar="GROUP", help="Let people of this group in."
)
_HEADER = click.option(
    "--header",
    "headers",
    multiple=True,
    metavar="FIELD=NAME",
    help=f"Tell a field under this header. Fields: {', '.join(FIELDS)}.",
)


@click.group("apps")
def apps_group() -> None:
    """Register the applications behind the proxy: where they are, and whom they let in."""


apps_group.add_command(nginx_command)


@apps_group.command("add")
@click.argument("application_id", metavar="ID")
@click.option("--name", required=True, help="What people read, on the sign-in page for one.")
@click.option(
    "--origin",
    "origins",
    multiple=True,
    required=True,
    metavar="ORIGIN",
    help="Where it is, as https://host or https://host:port; up to five.",
)
@_GROUP
@_HEADER
@with_appcontext
def add_command(
    application_id: str,
    name: str,
    origins: tuple[str, ...],
    groups: tuple[str, ...],
    headers: tuple[str, ...],
) -> None:
    """Register an application under the short name ID, which the proxy's configuration has.

    It is on hosts of its own, which no other application may use; or under a path of this
    service's own host, its origin being exactly PUBLIC_ORIGIN, which is weaker.

    With one --group or several, people of any of these groups may use it; without, everybody who
    is signed in. `flask users groups` puts people into groups.

    It is told who a request's person is by headers such as X-Auth-Email; --header calls one
    otherwise.

    \b
    Examples:
      flask apps add wiki --name "The wiki" --origin https://wiki.example.org
      flask apps add grafana --name Grafana --origin https://grafana.example.org \\
        --group staff --header user_id=Remote-User --header groups=Remote-Groups

    docs/applications.md has the rest.
    """  # noqa: D301 (click wants the backspace itself)
    details = _details(name=name, origins=origins, groups=groups, headers=headers)
    public_origin = service_settings().public_origin
    added = run(
        lambda session: add_application(
            session, application_id=application_id, details=details, public_origin=public_origin
        )
    )
    _show(added)


@apps_group.command("change")
@click.argument("application_id", metavar="ID")
@click.option("--name", help="What people read.")
@click.option("--origin", "origins", multiple=True, metavar="ORIGIN", help="Where it is.")
@_GROUP
@click.option("--no-groups", is_flag=True, help="Let everybody in who is signed in.")
@_HEADER
@click.option("--no-headers", is_flag=True, help="Call all headers as usual.")
@with_appcontext
def change_command(  # noqa: PLR0917 - click's way
    application_id: str,
    name: str | None,
    origins: tuple[str, ...],
    groups: tuple[str, ...],
    no_groups: bool,  # noqa: FBT001 - as above
    headers: tuple[str, ...],
    no_headers: bool,  # noqa: FBT001 - as above
) -> None:
    """Change an application. Each option replaces all that was there; the rest stays.

    It binds on the next request. Where an origin is given up, the application's sessions end;
    people who are signed in to this service come back without noticing.

    \b
    Example, for a second host and for two groups:
      flask apps change wiki --origin https://wiki.example.org \\
        --origin https://wiki.example.com --group staff --group editors
    """  # noqa: D301 (click wants the backspace itself)
    if (groups and no_groups) or (headers and no_headers):
        raise click.UsageError("An option that empties a list excludes the one that fills it.")
    details = _details(
        name=name,
        origins=origins or None,
        groups=() if no_groups else groups or None,
        headers=() if no_headers else headers or None,
    )
    if details == ApplicationDetails():
        raise click.UsageError("Say what to change.")
    changed, ended = _change(application_id, details)
    _show(changed)
    if ended:
        click.echo(f"An origin was given up: {_sessions(ended)} ended.", err=True)


@apps_group.command("list")
@with_appcontext
def list_command() -> None:
    """List the applications in the order of their ids.

    A line tells the id, the origins, the groups that may use it ("-" where everybody may who is
    signed in), and the name.
    """
    applications = run(
        lambda session: [*map(describe_application, list_applications(session))], writes=False
    )
    if not applications:
        click.echo("No application is registered.", err=True)
    for one in applications:
        groups = ",".join(one.allowed_groups) or "-"
        click.echo(f"{one.id}  {','.join(one.origins)}  {groups}  {one.name}")


@apps_group.command("show")
@click.argument("application_id", metavar="ID")
@with_appcontext
def show_command(application_id: str) -> None:
    """Show where an application is, whom it lets in, and the headers it is told of them by."""
    _show(
        run(
            lambda session: describe_application(get_named_application(session, application_id)),
            writes=False,
        )
    )


@apps_group.command("remove")
@click.argument("application_id", metavar="ID")
@with_appcontext
def remove_command(application_id: str) -> None:
    """Remove an application. Its sessions end, those of this service itself do not.

    Nobody is let into it any more, wherever the proxy still asks for it.
    """
    run(lambda session: get_named_application(session, application_id).id, writes=False)
    ended = _end_most_sessions(application_id)
    ended += run(lambda session: remove_application(session, application_id=application_id))
    click.echo(f"{application_id} is removed; {_sessions(ended)} ended.")


def _details(
    *,
    name: str | None,
    origins: Sequence[str] | None,
    groups: Sequence[str] | None,
    headers: Sequence[str] | None,
) -> ApplicationDetails:
    settings = service_settings()
    return run(
        lambda _session: parse_details(
            name=name,
            origins=origins,
            allowed_groups=groups,
            headers=None if headers is None else [*map(_pair, headers)],
            public_origin=settings.public_origin,
            plain_http_allowed=settings.environment is Environment.DEVELOPMENT,
        ),
        writes=False,
    )


def _pair(text: str) -> tuple[str, str]:
    field, equals, header = text.partition("=")
    if not equals:
        raise click.ClickException(
            f"--header {text!r} has no equals sign: write a field and its header, as "
            "user_id=Remote-User."
        )
    return field, header


def _change(application_id: str, details: ApplicationDetails) -> tuple[RegisteredApplication, int]:
    public_origin = service_settings().public_origin
    gives_up = run(
        lambda session: gives_origins_up(
            session, application_id=application_id, details=details, public_origin=public_origin
        ),
        writes=False,
    )
    ended = _end_most_sessions(application_id) if gives_up else 0
    changed, rest = run(
        lambda session: change_application(
            session, application_id=application_id, details=details, public_origin=public_origin
        )
    )
    return changed, ended + rest


def _end_most_sessions(application_id: str) -> int:
    ended, more = 0, True
    while more:
        some, more = run(lambda session: end_some_sessions(session, application_id=application_id))
        ended += some
    return ended


def _sessions(number: int) -> str:
    return "1 session" if number == 1 else f"{number:,} sessions"


def _show(application: RegisteredApplication) -> None:
    click.echo(application.id)
    click.echo(f"  name     {application.name}")
    for origin in application.origins:
        click.echo(f"  origin   {origin}")
    for group in application.allowed_groups:
        click.echo(f"  group    {group}")
    if not application.allowed_groups:
        click.echo("  group    -: everybody who is signed in may use it")
    for field in FIELDS:
        header = application.header_map.get(field, HEADERS[field])
        click.echo(f"  header   {field}: {header}")
