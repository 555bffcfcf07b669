"""``flask oauth``: whether the identity providers that are switched on can be used."""

import click
from flask import current_app
from flask.cli import with_appcontext

from app.cli.unit import run, service_settings
from app.config import ServiceSettings
from app.identity_providers import IdentityProvider, IdentityProviders
from app.services.ways_in import count_left_outside


@click.group("oauth")
def oauth_group() -> None:
    """Look after the identity providers that people sign in with."""


@oauth_group.command("check")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@with_appcontext
def check_command(names: tuple[str, ...]) -> None:
    """Ask each identity provider, or those named, for what a sign-in needs, and say what works.

    Fetches the metadata and the keys of an OpenID provider, and tries the client id and secret
    where that is possible without a person. Also says how many people could sign in only by
    providers that are switched off. Changes nothing, here or there.

    The exit status is 1 where something does not work. docs/identity-providers.md explains how
    to register this service with a provider.

    \b
    Examples:
      flask oauth check
      flask oauth check github
    """  # noqa: D301 (click wants the backspace itself)
    settings = service_settings()
    providers = IdentityProviders(settings.providers)
    chosen = names or tuple(providers)
    for name in chosen:
        if name not in providers:
            known = ", ".join(providers) or "none"
            raise click.ClickException(f"No provider {name} is switched on; there are: {known}.")
    if not chosen:
        click.echo("No identity provider is switched on: see docs/identity-providers.md.")
    works = [_check(providers[name], settings) for name in chosen]
    left = run(lambda s: count_left_outside(s, issuers=settings.open_issuers), writes=False)
    if left:
        click.echo(_people_left_outside(left))
    if not all(works):
        raise click.exceptions.Exit(1)


def _people_left_outside(number: int) -> str:
    people = "1 person has" if number == 1 else f"{number:,} people have"
    return (
        f"{people} no way in but by providers that are switched off, and cannot sign in: "
        "`flask users recover` gives them a passkey."
    )


def _check(provider: IdentityProvider, settings: ServiceSettings) -> bool:
    name = provider.settings.name
    click.echo(f"{name} ({provider.settings.issuer})")
    click.echo(f"  redirect URI to register there: {_redirect_uri(settings, name)}")
    works = True
    for finding in provider.check():
        works = works and finding.works
        click.echo(f"  {'ok  ' if finding.works else 'FAIL'}  {finding.sentence}")
    return works


def _redirect_uri(settings: ServiceSettings, name: str) -> str:
    # The route's own path, without a request to ask for it.
    paths = current_app.url_map.bind("")
    return settings.public_origin + paths.build("oauth.receive_callback", {"provider": name})
