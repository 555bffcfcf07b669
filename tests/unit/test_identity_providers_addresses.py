"""Where a provider may stand: the address is checked before any connection, and is the one used."""

import socket
from typing import Any

import pytest

from app.errors import ProviderUnavailable
from app.identity_providers import IdentityProvider
from app.identity_providers.addresses import Reach
from tests.support.providers_on_loopback import (
    HonestProvider,
    provider_settings,
)

PUBLIC_ALONE = Reach(private=False, loopback=False, variable="OAUTH_EXAMPLE_ALLOW_PRIVATE")
WITH_LOOPBACK = Reach(private=False, loopback=True, variable="OAUTH_EXAMPLE_ALLOW_PRIVATE")
WITH_PRIVATE = Reach(private=True, loopback=True, variable="OAUTH_EXAMPLE_ALLOW_PRIVATE")

PUBLIC = ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]
LOOPBACK = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]
PRIVATE = ["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fc00::1", "::ffff:10.0.0.1"]
NEVER = [
    *("169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "fe80::1%lo"),
    *("0.0.0.0", "::", "::ffff:0.0.0.0"),  # noqa: S104 - an address to refuse
    *("224.0.0.1", "ff02::1", "240.0.0.1", "255.255.255.255"),
]
NOT_PUBLIC = [
    *("192.0.2.1", "198.18.0.1", "2001:db8::1", "3fff::1", "fec0::1", "5f00::1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "::7f00:1"),
    *("2002:a9fe:a9fe::", "2002:e000:1::"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_is_allowed(address: str) -> None:
    assert PUBLIC_ALONE.allows(address)


@pytest.mark.parametrize("address", [*LOOPBACK, *PRIVATE, *NEVER, *NOT_PUBLIC])
def test_other_address_is_refused(address: str) -> None:
    """A16."""
    assert not PUBLIC_ALONE.allows(address)


@pytest.mark.parametrize("address", [*PRIVATE, *NEVER, *NOT_PUBLIC])
def test_this_machine_alone_is_allowed_where_it_is(address: str) -> None:
    assert not WITH_LOOPBACK.allows(address)
    assert all(WITH_LOOPBACK.allows(own) for own in LOOPBACK)


@pytest.mark.parametrize("address", NEVER)
def test_what_is_nobodys_in_particular_is_never_allowed(address: str) -> None:
    assert not WITH_PRIVATE.allows(address)
    assert all(WITH_PRIVATE.allows(own) for own in [*LOOPBACK, *PRIVATE])


class Names:
    """Names that resolve to what the test says, a list for each time they are asked for."""

    def __init__(self) -> None:
        self.answers: list[list[str]] = []
        self.connected: list[Any] = []

    def resolve(self, _host: str, port: int, **_options: object) -> list[Any]:
        addresses = self.answers.pop(0)
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                0,
                "",
                (address, port),
            )
            for address in addresses
        ]

    def connect(self, address: Any) -> None:  # noqa: ANN401
        self.connected.append(address)
        raise ConnectionRefusedError(111, "refused")


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    names = Names()
    monkeypatch.setattr(socket, "getaddrinfo", names.resolve)
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: names.connect(address))
    return names


def reason(provider: IdentityProvider) -> str:
    with pytest.raises(ProviderUnavailable) as caught:
        provider.require_issuer(None)
    return str(caught.value.reason)


@pytest.fixture
def public_provider() -> IdentityProvider:
    settings = provider_settings("https://accounts.example.org", allow_loopback=False)
    return IdentityProvider(settings)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "100.64.0.1"),
        "0.0.0.0",  # noqa: S104 - an address to refuse
    ],
)
def test_refused_address_sees_no_connection(
    names: Names, public_provider: IdentityProvider, address: str
) -> None:
    """A16; the public address beside it would have been tried."""
    names.answers = [["93.184.216.34"], ["93.184.216.34", address]]

    assert "refused" in reason(public_provider)
    assert names.connected == [("93.184.216.34", 443)]
    names.connected.clear()
    assert "OAUTH_EXAMPLE_ALLOW_PRIVATE" in reason(public_provider)
    assert names.connected == []


def test_name_that_changes_its_address_cannot_slip_through(
    names: Names, public_provider: IdentityProvider
) -> None:
    """A16: a name is resolved once for a connection, so a second answer is never used."""
    names.answers = [["93.184.216.34"], ["127.0.0.1"]]

    assert "refused" in reason(public_provider)
    assert names.connected == [("93.184.216.34", 443)]
    assert names.answers == [["127.0.0.1"]]
    assert "127.0.0.1" in reason(public_provider)
    assert names.connected == [("93.184.216.34", 443)]


def test_plain_http_goes_to_this_machine_alone(names: Names) -> None:
    settings = provider_settings("http://accounts.example.org", allow_private=True)
    provider = IdentityProvider(settings)
    names.answers = [["127.0.0.1"], ["10.0.0.1"]]

    assert "refused" in reason(provider)
    assert names.connected == [("127.0.0.1", 80)]
    assert "plain http" in reason(provider)
    assert names.connected == [("127.0.0.1", 80)]


@pytest.mark.parametrize("host", ["169.254.169.254", "neighbour.example"])
def test_metadata_cannot_lead_to_a_neighbour(
    honest: HonestProvider, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """A16: what the provider names is checked like the provider itself."""
    resolve, neighbour = socket.getaddrinfo, "neighbour.example"

    def resolve_neighbour(name: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        return resolve(name.replace(neighbour, "169.254.169.254"), *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_neighbour)
    honest.metadata["jwks_uri"] = f"https://{host}/latest"
    honest.publish()

    sentences = [
        finding.sentence for finding in IdentityProvider(provider_settings(honest.issuer)).check()
    ]

    assert any("169.254.169.254, which is not a public address" in each for each in sentences)


def test_loopback_is_refused_unless_it_is_allowed(honest: HonestProvider) -> None:
    refused = IdentityProvider(provider_settings(honest.issuer, allow_loopback=False))

    assert "not a public address" in reason(refused)
    assert honest.loopback.connections == 0
    IdentityProvider(provider_settings(honest.issuer)).require_issuer(None)
    assert honest.loopback.connections == 1
