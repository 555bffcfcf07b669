"""What a list of sessions shows of the browser and the network behind each."""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

import ua_parser

_LONGEST_USER_AGENT = 512


@dataclass(frozen=True, kw_only=True)
class Device:
    """A readable label, and the network (never the full address) that a request came from."""

    label: str
    network: str | None


def describe_device(*, user_agent: str | None, address: str | None) -> Device:
    """Describe the client of a request by its User-Agent header and its IP address."""
    return Device(label=_label(user_agent or ""), network=_network(address))


def _label(user_agent: str) -> str:
    known = ua_parser.parse(user_agent[:_LONGEST_USER_AGENT])
    browser = known.user_agent.family if known.user_agent else None
    system = known.os.family if known.os else None
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or "Unknown browser"


def _network(address: str | None) -> str | None:
    try:
        ip = ip_address(address or "")
    except ValueError:
        return None
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    prefix = 48 if isinstance(ip, IPv6Address) else 24
    return str(ip_network((ip, prefix), strict=False))
