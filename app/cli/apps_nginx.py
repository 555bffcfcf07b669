"""``flask apps nginx``: an application's part of nginx's configuration, filled in."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import click
from flask import current_app
from flask.cli import with_appcontext

from app.cli.unit import run, service_settings
from app.config.origin import DEFAULT_PORTS
from app.services.applications import (
    RegisteredApplication,
    describe_application,
    get_named_application,
)
from app.services.identity_headers import FIELDS, HEADERS

_TEMPLATE = "nginx_site.conf"
_USUAL = {header.lower() for header in HEADERS.values()}


@dataclass(frozen=True)
class _Place:
    """An origin, as nginx has to be told of it."""

    origin: str

    @property
    def authority(self) -> str:
        """The `Host` that browsers send."""
        return self.origin.partition("://")[2]

    @property
    def is_secure(self) -> bool:
        return self.origin.startswith("https://")

    @property
    def host(self) -> str:
        return self.authority.partition(":")[0]

    @property
    def port(self) -> int:
        parts = urlsplit(self.origin)
        return parts.port or DEFAULT_PORTS[parts.scheme]


def _address(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    # What follows stands in a configuration file: nothing may end the word it stands in.
    if not text.isprintable() or set(text) & set(" ;{}'\"\\$#"):
        raise click.BadParameter("it cannot stand in nginx's configuration.")
    return text


@click.command("nginx")
@click.argument("application_id", metavar="ID")
@click.option(
    "--to",
    default="http://127.0.0.1:3000",
    show_default=True,
    metavar="URL",
    callback=_address,
    help="Where the application listens, or an upstream's name as http://wiki.",
)
@click.option(
    "--certificates",
    default="/etc/letsencrypt/live",
    show_default=True,
    metavar="FOLDER",
    callback=_address,
    help="Where HOST/fullchain.pem and HOST/privkey.pem are.",
)
@click.option(
    "--listen",
    default="",
    metavar="ADDRESS",
    callback=_address,
    help="Listen on this address alone, such as 127.0.0.1, instead of on all.",
)
@with_appcontext
def nginx_command(application_id: str, to: str, certificates: str, listen: str) -> None:
    """Print the server block of an application for nginx, one for each of its origins.

    For an application under a path of this service's own host, the locations to put into that
    host's server block.

    \b
    Example:
      flask apps nginx wiki --to http://127.0.0.1:5000 > /etc/nginx/conf.d/wiki.conf
      nginx -t && nginx -s reload

    docs/proxies.md tells what else nginx needs.
    """  # noqa: D301 (click wants the backspace itself)
    application = run(
        lambda session: describe_application(get_named_application(session, application_id)),
        writes=False,
    )
    # Without what pages are given of a request, since there is none.
    site = current_app.jinja_env.get_template(_TEMPLATE).render(
        **_facts(application, public_origin=service_settings().public_origin),
        to=to,
        certificates=certificates.rstrip("/"),
        listen=f"{listen}:" if listen else "",
    )
    click.echo(site.strip())


def _facts(application: RegisteredApplication, *, public_origin: str) -> dict[str, Any]:
    mapped = [
        (field, header, header.lower().replace("-", "_"))
        for field in FIELDS
        if (header := application.header_map.get(field)) and header.lower() not in _USUAL
    ]
    return {
        "id": application.id,
        "name": application.name,
        "identity": _Place(public_origin).authority,
        "is_shared": public_origin in application.origins,
        "origins": [*map(_Place, application.origins)],
        "mapped": mapped,
    }
