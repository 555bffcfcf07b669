"""What has to fit before the first request: the settings, and what the database holds."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.config import Settings
from app.database import unpooled_engine
from app.errors import DatabaseUnavailable, SchemaTooNew, SchemaTooOld, SettingsError
from app.services.credentials import find_other_rp_id
from app.services.schema import require_fitting_schema
from app.services.ways_in import count_left_outside
from app.transaction import with_transaction

_log = structlog.get_logger(__name__)


def require_fitting_database(settings: Settings) -> None:
    """End the boot where the database cannot serve this release with these settings.

    Runs in an application context. Raises ``SettingsError``.
    """
    rp_id = settings.service.rp_id
    with _told_by_the_setting(settings):
        with_transaction(require_fitting_schema, writes=False)
        other = with_transaction(lambda session: find_other_rp_id(session, rp_id), writes=False)
    if other is not None:
        raise SettingsError(
            f"RP_ID is {rp_id}, but passkeys were made for {other} and would all stop working: "
            f"set RP_ID={other}, and see docs/configuration.md for moving to another one."
        )
    _warn_of_people_left_outside(settings)


def require_fitting_gate_database(settings: Settings) -> None:
    """End the boot of the session gate where the database cannot serve it.

    Raises ``SettingsError``.
    """
    engine = unpooled_engine(settings.database)
    with _told_by_the_setting(settings), Session(engine) as session:
        require_fitting_schema(session)


@contextmanager
def _told_by_the_setting(settings: Settings) -> Iterator[None]:
    named_by = settings.database.named_by
    try:
        yield
    except (SchemaTooOld, SchemaTooNew) as error:
        what = str(error).removeprefix("The database ")
        raise SettingsError(f"{named_by} names a database that {what}") from error
    except (DatabaseUnavailable, DBAPIError) as error:
        raise SettingsError(
            f"{named_by} names a database that does not answer or does not let this service in "
            f"({_first_line(error)}): start it, or correct the setting."
        ) from error


def _warn_of_people_left_outside(settings: Settings) -> None:
    # Switching a provider off is the operator's right; that it locks people out should be seen.
    issuers = settings.service.open_issuers
    try:
        left = with_transaction(lambda s: count_left_outside(s, issuers=issuers), writes=False)
    except DatabaseUnavailable:
        _log.warning("people_left_without_a_way_in_not_counted")
        return
    if left:
        _log.warning("people_left_without_a_way_in", number=left, cause="a provider switched off")


def _first_line(error: BaseException) -> str:
    # What the driver says: it names hosts, roles and files, and no secret.
    cause = error.__cause__ if isinstance(error, DatabaseUnavailable) else error
    told = cause.orig if isinstance(cause, DBAPIError) else cause
    return str(told).strip().partition("\n")[0].rstrip(".")
