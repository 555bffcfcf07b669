"""Which addresses a provider may stand at: the public ones, unless its settings say more.

Without this rule a provider's metadata could make the service talk to its own neighbours.
"""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from app.config.oauth import ProviderSettings

# Nothing else of IPv6 is given out for the public (IANA, IPv6 Global Unicast Address Space).
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_DOCUMENTATION = IPv6Network("3fff::/20")  # RFC 9637, later than the tables of Python 3.11
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052, section 2.1


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How far from the public network a provider may stand."""

    private: bool
    loopback: bool
    variable: str
    """That allows what is refused, to tell the operator."""

    def allows(self, text: str) -> bool:
        """Whether a connection may be made to the address.

        Whatever is allowed: link-local addresses, where clouds keep their credentials, and those
        that are nobody's in particular stay out of reach.
        """
        address = _spoken_to(ip_address(text))
        if address.is_loopback:
            return self.loopback or self.private
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            return False
        return _is_public(address) or (self.private and not address.is_reserved)


def reach_of(settings: ProviderSettings) -> Reach:
    """Return how far this provider may stand."""
    return Reach(
        private=settings.allow_private,
        loopback=settings.allow_loopback,
        variable=f"OAUTH_{settings.name.upper()}_ALLOW_PRIVATE",
    )


def written_address(host: str) -> str | None:
    """Return the address that the host is, where no name server need be asked for it."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    try:
        # The resolver also takes one that is shortened, octal or hexadecimal.
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def is_loopback(text: str) -> bool:
    """Whether the address is this machine's own."""
    return _spoken_to(ip_address(text)).is_loopback


def _spoken_to(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Find the IPv4 address that packets to an IPv4-mapped one really go to (RFC 4291, 2.5.5.2)."""
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_reserved
    embedded = address.sixtofour or (
        IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    )
    if embedded is not None:
        return _is_public(embedded) and not embedded.is_multicast
    return address.is_global and address in _GLOBAL_UNICAST and address not in _DOCUMENTATION
