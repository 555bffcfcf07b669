"""Providers' tokens on the day: renewed in this process, or not, and what it logs meanwhile."""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import structlog

from app import clock
from app.config import LogSettings, Settings
from app.errors import GrantInvalid, ProviderUnavailable
from app.identity_providers import IdentityProviders
from app.logs import configure_logging
from app.models import Identity
from app.services.provider_tokens import AccessTokens
from app.services.sealing import Sealer
from tests.support.clients import Browser
from tests.support.outside_accounts import linked, went_on
from tests.support.outsiders import to_sign_in
from tests.support.people import json_of
from tests.support.planted_day import Day
from tests.support.planted_echoes import token_echoes, truth
from tests.support.planted_secrets import Kind
from tests.support.tables import change
from tests.support.units import run_unit

SHORT_LIFE_SECONDS = 30
"""Less than what a token must last for to be handed out without being renewed."""
_LONG_LIFE_SECONDS = 3600


def renew(day: Day, browser: Browser) -> None:
    """Take access tokens that have to be renewed."""
    take = _access_to(day, browser)
    with _overheard(day):
        first = take()
        day.outsiders.hostile.expires_in = _LONG_LIFE_SECONDS
        assert {first, take()} <= day.planted.values[Kind.RENEWED_ACCESS]


def renew_in_vain(day: Day) -> None:
    """Want a token renewed by a provider that repeats what it knows; it knows no better then."""
    hostile, app = day.outsiders.hostile, day.deployment.app
    for lie in token_echoes(day.planted):
        browser, hostile.lie = day.browser(), truth(day.planted)
        assert went_on(browser.get(day.visit(to_sign_in(browser, "hostile"))))
        take, hostile.lie = _access_to(day, browser), lie
        change(app, Identity, token_expires_at=clock.now())
        with _overheard(day):
            _log_failure(take)


def _access_to(day: Day, browser: Browser) -> Callable[[], str]:
    """Give what asks for a person's token in this process."""
    app = day.deployment.app
    settings: Settings = app.extensions["openbadges"]
    tokens = AccessTokens(
        in_unit=partial(run_unit, app),
        providers={
            one.settings.issuer: one
            for one in IdentityProviders(settings.service.providers).values()
        },
        sealer=Sealer(settings.service.secret_keys),
    )
    (identity,) = [one["id"] for one in linked(browser) if one["provider"] == "hostile"]
    person = json_of(browser.get("/api/auth/session"))["user"]["id"]
    return partial(tokens.get, identity_id=str(identity), user_id=person)


def _log_failure(take: Callable[[], object]) -> None:
    try:
        take()
    except (GrantInvalid, ProviderUnavailable) as error:
        structlog.get_logger("app.tests").error("unexpected_error", exc_info=error)
    else:
        raise AssertionError("a token was renewed with an answer that is none")


@contextmanager
def _overheard(day: Day) -> Iterator[None]:
    """Take down what this process logs meanwhile, at its most talkative."""
    root, written = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers, root.level
    configure_logging(LogSettings(level="DEBUG", format="json"))
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    try:
        yield
    finally:
        root.handlers = handlers
        root.setLevel(level)
        day.told.append(written.getvalue())
