"""Whether a person may have what they ask an application for: decided on every check."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
"""Those that change nothing (RFC 9110 section 9.2.1)."""
_OTHER_SITES = {"same-site", "cross-site"}


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """What a check asks for besides a session: the query of the check, which the proxy fixes."""

    app: str | None = None
    role: str | None = None
    group: str | None = None
    redirect: bool = False
    """Lead people on who navigate: the proxy hands the check's own answer to the browser."""


@lru_cache(maxsize=256)
def read_requirement(query: str) -> Requirement | None:
    """Read a query; None where it is not exactly one that a check may have."""
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, strict_parsing=bool(query), errors="strict"
        )
    except ValueError:
        return None
    asked = dict(pairs)
    # PostgreSQL's protocol would take a NUL for the end of what is asked for.
    if len(asked) < len(pairs) or not all(asked.values()) or "\0" in "".join(asked.values()):
        return None
    redirect = asked.pop("redirect", "0")
    if redirect not in {"0", "1"} or not asked.keys() <= {"app", "role", "group"}:
        return None
    return Requirement(redirect=redirect == "1", **asked)


def fits(requirement: Requirement, *, role: str, groups: Collection[str]) -> bool:
    """Tell whether the person has the role and the group that are asked for."""
    return requirement.role in {None, role} and (
        requirement.group is None or requirement.group in groups
    )


def may_use(groups: Collection[str], *, allowed_groups: Collection[str]) -> bool:
    """Tell whether one of these groups is let in; everybody is where none is named."""
    return not allowed_groups or not set(allowed_groups).isdisjoint(groups)


def is_from_elsewhere(environ: Mapping[str, Any], origins: Collection[str]) -> bool:
    """Tell whether another site makes the browser ask for something that may change something.

    Applications on sibling hosts are same-site, so SameSite does not keep their requests out. A
    WebSocket begins as a GET, and no browser asks its server for leave.
    """
    # A proxy that does not tell the method may be asking about any.
    method = environ.get("HTTP_X_FORWARDED_METHOD", "")
    if method in SAFE_METHODS and "HTTP_SEC_WEBSOCKET_KEY" not in environ:
        return False
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return site in _OTHER_SITES
    origin = environ.get("HTTP_ORIGIN")
    return origin is not None and origin not in origins


def is_navigation(environ: Mapping[str, Any]) -> bool:
    """Tell whether a person follows a link or types an address, rather than a script or an image.

    Of older browsers, which do not say (Fetch Metadata), by what they would like to read.
    """
    if environ.get("HTTP_X_FORWARDED_METHOD", environ["REQUEST_METHOD"]) != "GET":
        return False
    mode = environ.get("HTTP_SEC_FETCH_MODE")
    if mode is None:
        return "text/html" in environ.get("HTTP_ACCEPT", "")
    is_document: bool = environ.get("HTTP_SEC_FETCH_DEST", "document") == "document"
    return mode == "navigate" and is_document
