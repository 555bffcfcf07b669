"""PostgreSQL addresses, brought into the form that SQLAlchemy and psycopg 3 take."""

from __future__ import annotations

import re

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.config.origin import is_port
from app.errors import SettingsError

POSTGRESQL_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")
# libpq's own form for several hosts, which SQLAlchemy wants as repeated `host` parameters instead.
SEVERAL_HOSTS = re.compile(r"(?P<login>[^/]*@)?(?P<hosts>[^/?@]+,[^/?@]+)(?P<rest>[/?].*)?")


def parse_postgresql_url(variable: str, value: str) -> URL:
    """Return the URL for psycopg 3, whatever of POSTGRESQL_SCHEMES it began with.

    Raises SettingsError without a cause, since the cause would hold the URL and its password.
    """
    if any(character.isspace() or not character.isprintable() for character in value):
        raise SettingsError(f"{variable} contains a blank or a line break: write %20 for a blank.")
    _, _, rest = value.partition("://")
    # Behind an @ that is not encoded, the rest of a password would be shown as host or database.
    if rest.partition("?")[0].count("@") > 1:
        raise _unreadable(variable)
    several = SEVERAL_HOSTS.fullmatch(rest)
    hosts = several["hosts"].split(",") if several else []
    if several:
        rest = (several["login"] or "") + (several["rest"] or "")
    try:
        url = make_url(f"postgresql+psycopg://{rest}")
        url = url.update_query_pairs([("host", host) for host in hosts])
        _, arguments = url.get_dialect()().create_connect_args(url)
    except (ArgumentError, ValueError):
        raise _unreadable(variable) from None
    if not url.database:
        raise SettingsError(f"{variable} names no database: put its name after the host and a /.")
    # Port 0 never reaches the driver: SQLAlchemy takes it for no port.
    ports = arguments.get("port", url.port)
    _check_ports(variable, "" if ports is None else str(ports))
    return url


def _unreadable(variable: str) -> SettingsError:
    return SettingsError(
        f"{variable} cannot be parsed: write postgresql://user:password@host:port/database, "
        "with special characters of the password percent-encoded."
    )


def _check_ports(variable: str, ports: str) -> None:
    for port in filter(None, ports.split(",")):
        if not is_port(port):
            raise SettingsError(f"{variable} has a port out of range: use one from 1 to 65535.")


def masked(url: URL) -> str:
    """Return the URL with every password replaced, those among the parameters included."""
    secret = [key for key in url.query if "password" in key.lower()]
    return url.update_query_dict(dict.fromkeys(secret, "masked")).render_as_string(
        hide_password=True
    )
