"""A16: tokens by keys that nobody has do not make the service ask its provider again and again."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from app.errors import IdentityRejected
from app.identity_providers import Limits
from app.identity_providers.id_token import IDTokenVerifier
from app.identity_providers.keys import KeySource
from app.identity_providers.limits import Budget
from app.identity_providers.metadata import MetadataSource
from app.identity_providers.outbound import Outbound
from tests.conftest import NewTally
from tests.support.counts import trials
from tests.support.deployments import WORKERS, Deployment
from tests.support.hostile_provider import HostileProvider, hostile_provider
from tests.support.jws import random_text
from tests.support.lies import BY_NAME
from tests.support.outsiders import Outsiders
from tests.support.providers_on_loopback import provider_settings
from tests.support.tenants import Tenants
from tests.support.told_lies import Witness, assert_refused

SUBJECT = "Lying providers"
UNKNOWN_KEY = BY_NAME["kid-unknown"]
MINUTES = 10


@dataclass
class Stopwatch:
    """Time that passes when it is told to."""

    seconds: float = 0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def provider() -> Iterator[HostileProvider]:
    with hostile_provider() as started:
        yield started


def verifier_for(provider: HostileProvider, *, monotonic: Stopwatch) -> IDTokenVerifier:
    settings = provider_settings(provider.issuer, client_id=provider.client_id)
    outbound = Outbound(settings, Limits())
    metadata = MetadataSource(settings, outbound, monotonic)
    return IDTokenVerifier(settings, KeySource(metadata, outbound, monotonic=monotonic))


def assert_unknown(verifier: IDTokenVerifier, token: str) -> None:
    with pytest.raises(IdentityRejected) as refusal:
        verifier.verify(token, nonce="n", access_token="a", budget=Budget(5))  # noqa: S106 - a made-up one
    assert "unknown key" in str(refusal.value.reason)


def test_ten_thousand_unknown_keys_fetch_the_set_once_a_minute(
    provider: HostileProvider, new_tally: NewTally
) -> None:
    """In ten minutes of one worker's time."""
    tally, told = new_tally(SUBJECT, "an unknown key id, in process"), trials(10_000)
    stopwatch = Stopwatch()
    verifier = verifier_for(provider, monotonic=stopwatch)

    for _ in range(told):
        token = provider.key.sign({}, header={"kid": random_text()})
        with tally.trial():
            assert_unknown(verifier, token)
        stopwatch.seconds += 60 * MINUTES / told

    assert 2 <= provider.asked["/jwks"] <= MINUTES


def test_unknown_keys_over_the_wire_fetch_the_set_once_a_minute(
    deployment: Deployment, providers: Outsiders, new_tally: NewTally
) -> None:
    """By each worker; an honest sign-in is believed at once."""
    tally, provider = new_tally(SUBJECT, "an unknown key id"), providers.hostile
    witness = Witness(deployment=deployment, tenants=Tenants(by_name={"hostile": provider}))
    client, began_at, before = deployment.browser(), time.monotonic(), provider.asked["/jwks"]

    for _ in range(trials(500)):
        with tally.trial():
            assert_refused(witness.hear(UNKNOWN_KEY, client, "hostile"), UNKNOWN_KEY)

    minutes = 1 + (time.monotonic() - began_at) // 60
    assert provider.asked["/jwks"] - before <= WORKERS * minutes
    assert witness.granted() == (0, 0, 0)
    witness.see_honest(client, "hostile")
