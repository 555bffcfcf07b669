"""The settings: read from the environment once, checked, frozen.

docs/configuration.md lists them. Nothing else in the project reads the environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.config.database import DatabaseSettings, read_database
from app.config.log import LogSettings, read_log
from app.config.oauth import ProviderSettings
from app.config.service import (
    Environment,
    Registration,
    ServiceSettings,
    read_environment,
    read_service,
)
from app.config.variables import Variables
from app.errors import SettingsError

__all__ = [
    "PROJECT_FOLDER",
    "DatabaseSettings",
    "Environment",
    "LogSettings",
    "ProviderSettings",
    "Registration",
    "ServiceSettings",
    "Settings",
    "load_settings",
]

PROJECT_FOLDER = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything the operator decided.

    `service_or_problem` holds the refusal where the service's own variables are incomplete, because
    a command such as `flask db upgrade` needs the database's alone. `origins_of_values` maps a
    variable to its printable value (secrets masked) and to where that came from.
    """

    database: DatabaseSettings
    log: LogSettings = field(default_factory=LogSettings)
    service_or_problem: ServiceSettings | SettingsError
    origins_of_values: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def service(self) -> ServiceSettings:
        """The service's part; raises the SettingsError met while reading it."""
        if isinstance(self.service_or_problem, SettingsError):
            raise SettingsError(str(self.service_or_problem))
        return self.service_or_problem


def load_settings(
    environ: Mapping[str, str] | None = None, *, folder: Path = PROJECT_FOLDER
) -> Settings:
    """Read the settings from `environ`, by default the process's own.

    Raises SettingsError at once for the database's and the log's variables. Relative paths start at
    `folder`, where the instance folder lies too.
    """
    variables = Variables(os.environ if environ is None else environ, folder=folder)
    environment = read_environment(variables)
    database = read_database(variables)
    log = read_log(variables, environment)
    service: ServiceSettings | SettingsError
    try:
        service = read_service(variables, environment)
    except SettingsError as problem:
        service = problem
    return Settings(
        database=database,
        log=log,
        service_or_problem=service,
        origins_of_values=dict(variables.origins),
    )
