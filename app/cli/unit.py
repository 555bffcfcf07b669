"""A command's unit of work: committed, or refused in one sentence and a non-zero exit."""

from typing import TypeVar

import click

from app.errors import ServiceError
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
