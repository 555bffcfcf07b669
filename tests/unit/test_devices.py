"""A readable device and a truncated address: what a list of sessions may show."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.devices import describe_device

MOZILLA = "Mozilla/5.0"
LABELS = {
    f"{MOZILLA} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Linux",
    f"{MOZILLA} (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0": "Edge on Windows",
    f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.4 Safari/605.1.15": "Safari on Mac OS X",
    f"{MOZILLA} (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.4 Mobile/15E148 Safari/604.1": "Mobile Safari on iOS",
    f"{MOZILLA} (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/150.0.0.0 Mobile Safari/537.36": "Chrome Mobile on Android",
    "curl/8.5.0": "curl",
    "": "Unknown browser",
    "\u00ff\u00fe <script>": "Unknown browser",
}
NETWORKS = {
    "203.0.113.77": "203.0.113.0/24",
    "203.0.113.255": "203.0.113.0/24",
    "10.1.2.3": "10.1.2.0/24",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1::/48",
    "2001:DB8:1:FFFF::1": "2001:db8:1::/48",
    "::ffff:203.0.113.77": "203.0.113.0/24",
    "::ffff:cb00:714d": "203.0.113.0/24",
    "fe80::1%eth0": "fe80::/48",
    "::1": "::/48",
    "": None,
    "unix:": None,
    "203.0.113.77:443": None,
    "203.0.113.077": None,
    "203.0.113": None,
    "for=203.0.113.77": None,
}


@pytest.mark.parametrize(("user_agent", "label"), LABELS.items(), ids=range(len(LABELS)))
def test_device_is_told_by_browser_and_system(user_agent: str, label: str) -> None:
    assert describe_device(user_agent=user_agent, address=None).label == label


def test_missing_user_agent_is_an_unknown_browser() -> None:
    assert describe_device(user_agent=None, address=None).label == "Unknown browser"


@pytest.mark.parametrize(("address", "network"), NETWORKS.items(), ids=[*NETWORKS])
def test_address_is_kept_as_its_network_alone(address: str, network: str | None) -> None:
    assert describe_device(user_agent=None, address=address).network == network


@given(st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address))
def test_no_full_address_is_ever_kept(address: IPv4Address | IPv6Address) -> None:
    network = describe_device(user_agent=None, address=str(address)).network

    assert network is not None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    assert (mapped or address) in ip_network(network)
    assert ip_network(network).prefixlen in {24, 48}


@given(st.text(st.characters(max_codepoint=255), max_size=3000))
def test_any_user_agent_gives_one_short_label(user_agent: str) -> None:
    label = describe_device(user_agent=user_agent, address=None).label

    assert 0 < len(label) <= 600


def test_only_the_beginning_of_a_user_agent_is_read() -> None:
    firefox = next(iter(LABELS))

    assert (
        describe_device(user_agent=firefox + "x" * 9000, address=None).label == "Firefox on Linux"
    )
    assert describe_device(user_agent="x" * 512 + firefox, address=None).label == "Unknown browser"
