"""Where the service and its applications are reached: origins, relying-party id, sockets.

An origin is scheme, host and port (RFC 6454), compared as text with what browsers send, so it must
be written exactly as browsers serialise it.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

from app.errors import SettingsError

LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST_NAME = re.compile(rf"{LABEL}(?:\.{LABEL})*")
DEFAULT_PORTS = {"http": 80, "https": 443}
LONGEST_HOST_NAME = 253
LONGEST_SOCKET_PATH_BYTES = 107
PORT_NUMBER = re.compile(r"[1-9][0-9]{0,4}")
HIGHEST_PORT = 65_535


def host_of(origin: str) -> str:
    return origin.partition("://")[2].partition(":")[0]


def hosts_of(origin: str) -> frozenset[str]:
    """Give the values of `Host` by which browsers ask for an origin, with and without the port."""
    scheme, _, host = origin.partition("://")
    port = "" if ":" in host else f":{DEFAULT_PORTS[scheme]}"
    return frozenset({host, host + port})


def check_origin(
    name: str, origin: str, *, plain_http_allowed: bool, subdomains_of_localhost: bool = False
) -> None:
    """Raise SettingsError, about `name`, unless browsers would write the origin so.

    Plain http is for localhost alone, or for names under it as well where the caller says so.
    """
    scheme, _, rest = origin.partition("://")
    if scheme not in DEFAULT_PORTS:
        raise SettingsError(
            f"{name} must begin with https:// in lower case, followed by the host name."
        )
    if "@" in rest:
        raise SettingsError(f"{name} must not hold a user name or password: remove it.")
    if any(mark in rest for mark in "/?#\\"):
        raise SettingsError(
            f"{name} must end after the host and port: remove the path, query or fragment, "
            "also a slash at the end."
        )
    _check_authority(name, rest, default_port=DEFAULT_PORTS[scheme])
    if scheme == "http" and not plain_http_allowed:
        raise SettingsError(
            f"{name} is plain http, which only development accepts: use https://, or "
            "APP_ENV=development on your own machine."
        )
    host = host_of(origin)
    is_local = host == "localhost" or (subdomains_of_localhost and host.endswith(".localhost"))
    if scheme == "http" and not is_local:
        names = "localhost and names under it" if subdomains_of_localhost else "localhost"
        raise SettingsError(
            f"{name} may be plain http for {names} alone: use https:// for any other host."
        )


def _check_authority(name: str, authority: str, *, default_port: int) -> None:
    host, colon, port = authority.partition(":")
    if is_ip_address(host) or host.startswith("["):
        raise SettingsError(
            f"{name} has an IP address: use a host name, or localhost, since browsers keep "
            "passkeys for names alone."
        )
    if not is_host_name(host):
        raise SettingsError(
            f"{name} has no valid host name: use lower-case ASCII letters, digits, hyphens "
            "and dots (xn--… for other scripts)."
        )
    if colon and not is_port(port):
        raise SettingsError(f"{name} has no valid port: use one from 1 to 65535, or none.")
    if colon and int(port) == default_port:
        raise SettingsError(
            f"{name} must not spell out the default port, since browsers leave it away: "
            f"remove :{default_port}."
        )


def check_rp_id(rp_id: str, *, host: str) -> None:
    """Raise SettingsError unless browsers accept `rp_id` on `host` (WebAuthn Level 3, 5.1.3)."""
    if is_ip_address(rp_id.strip("[]")):
        raise SettingsError("RP_ID must not be an IP address: use the host of PUBLIC_ORIGIN.")
    if not is_host_name(rp_id):
        raise SettingsError(
            "RP_ID must be a bare host name in lower case: leave out scheme, port and path."
        )
    if "." not in rp_id and rp_id != "localhost":
        raise SettingsError(
            "RP_ID is a single label, which browsers treat as a public suffix: use a name with a "
            "dot, such as the registrable domain of PUBLIC_ORIGIN."
        )
    if host != rp_id and not host.endswith(f".{rp_id}"):
        raise SettingsError(
            "RP_ID does not fit PUBLIC_ORIGIN: use its host or a parent domain of that host."
        )


def check_bind(name: str, bind: str) -> str:
    """Return an address, `localhost` or `unix:/path`, as gunicorn takes it (IPv6 in brackets)."""
    if bind.startswith("unix:"):
        _check_socket_path(name, bind.removeprefix("unix:"))
        return bind
    bare = bind[1:-1] if bind.startswith("[") and bind.endswith("]") else bind
    if bare == "localhost":
        return bare
    if not is_ip_address(bare):
        raise SettingsError(
            f"{name} must be an IP address without a port, localhost, or unix: and an absolute "
            f"path: the port belongs into {name.replace('BIND', 'PORT')}."
        )
    return f"[{bare}]" if ":" in bare else bare


def _check_socket_path(name: str, path: str) -> None:
    if not path.startswith("/") or path.endswith("/"):
        raise SettingsError(f"{name} must give a socket as unix: and an absolute path to a file.")
    if len(path.encode()) > LONGEST_SOCKET_PATH_BYTES:
        raise SettingsError(
            f"{name} gives a socket path too long for the system: use {LONGEST_SOCKET_PATH_BYTES} "
            "bytes at most."
        )
    if not Path(path).parent.is_dir():
        raise SettingsError(f"{name} gives a socket in a folder that does not exist: create it.")


def is_host_name(value: str) -> bool:
    # A numeric last label makes browsers parse the whole as an IPv4 address.
    return (
        len(value) <= LONGEST_HOST_NAME
        and HOST_NAME.fullmatch(value) is not None
        and not value.rpartition(".")[2].isdigit()
    )


def is_ip_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def is_port(value: str) -> bool:
    return PORT_NUMBER.fullmatch(value) is not None and int(value) <= HIGHEST_PORT
