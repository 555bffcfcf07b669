"""What has to fit before the first request: the settings, and what the database holds."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from app.errors import DatabaseUnavailable, SettingsError
from app.extensions import db
from app.services.credentials import find_other_rp_id
from app.services.schema import is_behind
from app.transaction import with_transaction


def require_fitting_database(app: Flask, *, rp_id: str) -> None:
    """End the boot where the database cannot serve this release with these settings.

    Raises ``SettingsError``.
    """
    try:
        with app.app_context(), _fresh_connections():
            if with_transaction(is_behind, writes=False):
                raise SettingsError(
                    "DATABASE_URL names a database that lacks a migration of this release: "
                    "run `flask db upgrade` first."
                )
            other = with_transaction(lambda session: find_other_rp_id(session, rp_id), writes=False)
    except DatabaseUnavailable as error:
        raise SettingsError(
            "DATABASE_URL names a database that does not answer: start it, or correct the address."
        ) from error
    if other is not None:
        raise SettingsError(
            f"RP_ID is {rp_id}, but passkeys were made for {other} and would all stop working: "
            f"set RP_ID={other}, and see docs/configuration.md for moving to another one."
        )


@contextmanager
def _fresh_connections() -> Iterator[None]:
    # The process that checks may fork the workers and never ask again: it keeps no connection.
    try:
        yield
    finally:
        db.engine.dispose()
