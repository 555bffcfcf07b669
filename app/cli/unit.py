"""What commands share: the service's settings, and a unit of work that ends in a sentence."""

from typing import TypeVar

import click
from flask import current_app

from app.config import ServiceSettings, Settings
from app.errors import ServiceError, SettingsError
from app.services.schema import require_fitting_schema
from app.transaction import UnitOfWork, with_transaction

T = TypeVar("T")


def run(callback: UnitOfWork[T], *, writes: bool = True) -> T:
    """Run a command's unit of work; what the service refuses ends the command in a sentence."""
    try:
        with_transaction(require_fitting_schema, writes=False)
        return with_transaction(callback, writes=writes)
    except ServiceError as error:
        raise click.ClickException(str(error)) from error


def service_settings() -> ServiceSettings:
    """Give the service's settings; one that is wrong or missing ends the command in a sentence."""
    settings: Settings = current_app.extensions["openbadges"]
    try:
        return settings.service
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
