"""Which database, and how to reach it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from app.config.postgresql_url import POSTGRESQL_SCHEMES, masked, parse_postgresql_url
from app.config.sqlite_file import read_sqlite_url
from app.config.variables import Variables
from app.errors import SettingsError

Kind = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """The URLs are SQLAlchemy's, complete with the password: never print them.

    `named_by` is the variable that says where the database is; `pool_size` counts connections per
    process; `slow_query_ms` is None where slow queries are not singled out.
    """

    kind: Kind
    named_by: str = "DATABASE_URL"
    url: str = field(repr=False)
    migration_url: str = field(default="", repr=False)
    pool_size: int = 20
    pool_idle_seconds: int = 30
    connect_timeout_seconds: int = 2
    prepare: bool = True
    log_queries: bool = False
    slow_query_ms: int | None = None

    def __post_init__(self) -> None:
        if not self.migration_url:
            object.__setattr__(self, "migration_url", self.url)


def read_database(variables: Variables) -> DatabaseSettings:
    """Read what every command needs; raises SettingsError at the first wrong value."""
    kind, url = _read_location(variables)
    return DatabaseSettings(
        kind=kind,
        named_by="DATABASE_URL" if variables.find_secret("DATABASE_URL") else "SQLITE_FILE",
        url=url,
        migration_url=_read_migration_url(variables, kind),
        pool_size=variables.number("DB_POOL_SIZE", DatabaseSettings.pool_size, least=1, most=200),
        pool_idle_seconds=variables.number(
            "DB_POOL_IDLE_SECONDS", DatabaseSettings.pool_idle_seconds, least=1, most=86_400
        ),
        connect_timeout_seconds=variables.number(
            "DB_CONNECT_TIMEOUT_SECONDS", DatabaseSettings.connect_timeout_seconds, least=1, most=60
        ),
        prepare=variables.flag("DB_PREPARE", default=DatabaseSettings.prepare),
        log_queries=variables.flag("LOG_QUERIES", default=DatabaseSettings.log_queries),
        slow_query_ms=variables.find_number("SLOW_QUERY_MS", least=1, most=600_000),
    )


def _read_location(variables: Variables) -> tuple[Kind, str]:
    secret = variables.find_secret("DATABASE_URL")
    told = _kind_of_url("DATABASE_URL", secret.value) if secret else None
    kind = _read_kind(variables, told)
    if kind == "sqlite":
        return kind, read_sqlite_url(variables, secret)
    if variables.is_set("SQLITE_FILE"):
        raise SettingsError(
            "SQLITE_FILE is set beside a PostgreSQL database: unset it, or unset DATABASE_URL and "
            "DB_TYPE to use the file."
        )
    if secret is None:
        raise SettingsError(
            "DATABASE_URL is missing although DB_TYPE is postgresql: set it to "
            "postgresql://user:password@host/database."
        )
    url = parse_postgresql_url("DATABASE_URL", secret.value)
    variables.note("DATABASE_URL", masked(url), secret.source)
    variables.note("SQLITE_FILE", "unset", "default")
    return kind, url.render_as_string(hide_password=False)


def _read_kind(variables: Variables, told: Kind | None) -> Kind:
    chosen = variables.choice("DB_TYPE", ("sqlite", "postgresql"), told or "sqlite")
    if told and not variables.is_set("DB_TYPE"):
        variables.note("DB_TYPE", told, "DATABASE_URL")
    if told and chosen != told:
        raise SettingsError(
            f"DB_TYPE contradicts DATABASE_URL, which is for {told}: unset DB_TYPE or correct one "
            "of the two."
        )
    return "sqlite" if chosen == "sqlite" else "postgresql"


def _kind_of_url(variable: str, url: str) -> Kind:
    scheme, separator, _ = url.partition("://")
    if separator and scheme in POSTGRESQL_SCHEMES:
        return "postgresql"
    if separator and scheme == "sqlite":
        return "sqlite"
    raise SettingsError(
        f"{variable} is for no supported database: begin it with postgresql:// or sqlite:///."
    )


def _read_migration_url(variables: Variables, kind: Kind) -> str:
    """Return the URL, or nothing where migrations use the same as the service."""
    secret = variables.find_secret("MIGRATION_DATABASE_URL")
    if secret is None:
        variables.note("MIGRATION_DATABASE_URL", "as DATABASE_URL", "default")
        return ""
    if kind == "sqlite" or _kind_of_url("MIGRATION_DATABASE_URL", secret.value) == "sqlite":
        raise SettingsError(
            "MIGRATION_DATABASE_URL is for PostgreSQL alone: unset it, or set DATABASE_URL to a "
            "PostgreSQL database as well."
        )
    url = parse_postgresql_url("MIGRATION_DATABASE_URL", secret.value)
    variables.note("MIGRATION_DATABASE_URL", masked(url), secret.source)
    return url.render_as_string(hide_password=False)
