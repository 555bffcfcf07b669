"""What an application can be registered with: every part is read strictly, or refused."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.config.origin import check_origin, host_of
from app.errors import InvalidApplication, SettingsError
from app.services.groups import parse_groups
from app.services.identity_headers import FIELDS, header_names

MOST_ORIGINS = 5
LONGEST_NAME = 100
ID = re.compile(r"[a-z][a-z0-9-]{0,39}")
_HEADER = re.compile(r"(?:X|Remote|Auth)(?:-[A-Za-z0-9]+)+", re.IGNORECASE)
_LONGEST_HEADER = 64
# Servers and frameworks act on these, and a person chooses what some of the fields say.
_OTHER_MEANINGS = re.compile(
    r"X-(?:Forwarded|Original|Rewrite|Accel|HTTP|Host|Real-IP|Client-IP|Cluster-Client-IP|Sendfile"
    r"|Script-Name|Scheme|Url-Scheme|Method-Override|Request-Id)(?:-.*)?"
    r"|(?:X-)?Remote-(?:Addr|Host|IP|Port)",
    re.IGNORECASE,
)
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@dataclass(frozen=True, kw_only=True)
class ApplicationDetails:
    """What an operator says of an application; None is what they did not speak of."""

    name: str | None = None
    origins: list[str] | None = None
    allowed_groups: list[str] | None = None
    header_map: dict[str, str] | None = None


def parse_details(
    *,
    name: str | None = None,
    origins: Sequence[str] | None = None,
    allowed_groups: Sequence[str] | None = None,
    headers: Iterable[tuple[str, str]] | None = None,
    public_origin: str,
    plain_http_allowed: bool,
) -> ApplicationDetails:
    """Read what an operator says. ``headers`` are pairs of a field and a header's name.

    Raises ``InvalidApplication``, ``InvalidGroup`` and ``TooManyGroups``.
    """
    return ApplicationDetails(
        name=None if name is None else _parse_name(name),
        origins=(
            None
            if origins is None
            else _parse_origins(
                origins, public_origin=public_origin, plain_http_allowed=plain_http_allowed
            )
        ),
        allowed_groups=None if allowed_groups is None else parse_groups(allowed_groups),
        header_map=None if headers is None else _parse_header_map(headers),
    )


def parse_application_id(text: str) -> str:
    """Read the short name of an application. Raises ``InvalidApplication``."""
    if ID.fullmatch(text) is None:
        raise InvalidApplication(
            f"The id {text!r} cannot be: use up to 40 lower-case ASCII letters, digits and "
            "hyphens, and begin with a letter."
        )
    return text


def _parse_name(text: str) -> str:
    name = unicodedata.normalize("NFC", text.strip())
    if not 0 < len(name) <= LONGEST_NAME:
        raise InvalidApplication(f"A name has 1 to {LONGEST_NAME} characters.")
    if any(unicodedata.category(character) in _INVISIBLE for character in name):
        raise InvalidApplication("A name holds no control or invisible characters.")
    return name


def _parse_origins(
    origins: Sequence[str], *, public_origin: str, plain_http_allowed: bool
) -> list[str]:
    if not 0 < len(origins) <= MOST_ORIGINS:
        raise InvalidApplication(f"An application has 1 to {MOST_ORIGINS} origins.")
    for origin in origins:
        _check(origin, plain_http_allowed=plain_http_allowed)
        if origins.count(origin) > 1:
            raise InvalidApplication(f"The origin {origin} is named twice.")
        if origin == public_origin:
            if len(origins) > 1:
                raise InvalidApplication(
                    f"An application under a path of {public_origin} has no other origin, since "
                    "it shares the session of this service there: register the rest as another."
                )
        elif host_of(origin) == host_of(public_origin):
            raise InvalidApplication(
                f"The origin {origin} is on the host of this service, whose cookies would reach "
                "it, since cookies ignore ports: use a host of its own, or exactly "
                f"{public_origin} for an application under one of its paths."
            )
    return list(origins)


def _check(origin: str, *, plain_http_allowed: bool) -> None:
    name = f"The origin {origin}" if origin.isprintable() else f"The origin {origin!r}"
    try:
        check_origin(
            name, origin, plain_http_allowed=plain_http_allowed, subdomains_of_localhost=True
        )
    except SettingsError as error:
        raise InvalidApplication(str(error)) from error


def _parse_header_map(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    header_map: dict[str, str] = {}
    for field, header in headers:
        if field not in FIELDS:
            raise InvalidApplication(
                f"There is no field {field!r} to name a header for: there are {', '.join(FIELDS)}."
            )
        if field in header_map:
            raise InvalidApplication(f"The field {field} is given two headers: give it one.")
        _check_header(header)
        header_map[field] = header
    seen: set[str] = set()
    for header in map(str.lower, header_names(header_map)):
        if header in seen:
            raise InvalidApplication(
                f"Two fields cannot share the header {header}: a field that is not named keeps "
                "its own."
            )
        seen.add(header)
    return header_map


def _check_header(header: str) -> None:
    if len(header) > _LONGEST_HEADER or _HEADER.fullmatch(header) is None:
        raise InvalidApplication(
            f"The header {header!r} cannot be: use up to {_LONGEST_HEADER} ASCII letters, digits "
            "and hyphens, and begin with X-, Remote- or Auth-."
        )
    if _OTHER_MEANINGS.fullmatch(header):
        raise InvalidApplication(
            f"The header {header} tells servers something else: name another one."
        )
