"""clientDataJSON: what the browser says about the ceremony (WebAuthn L3 §5.8.1).

Checked here is what the library leaves to the relying party. It compares type and origin itself,
exactly; tokenBinding has no meaning any more and is not looked at.
"""

import hmac
import json
from collections.abc import Mapping
from typing import NoReturn

from . import base64url
from .violation import Violation, require


def read_client_data(raw: bytes) -> Mapping[str, object]:
    """Parse as UTF-8 JSON in which no name stands twice; raises Violation.

    A leading byte order mark is skipped, as the UTF-8 decode that §7.1 and §7.2 name does.
    """
    try:
        client_data = json.loads(
            raw.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise Violation("client data is not JSON in UTF-8") from error
    if not isinstance(client_data, dict):
        raise Violation("client data is not an object")
    return client_data


def check_client_data(raw: bytes, *, challenge: bytes) -> None:
    """Check challenge and framing (§7.1 steps 8, 10, 11; §7.2 steps 11, 13, 14).

    Ceremonies within another site's frame are not offered, so every sign of one is refused.
    Raises Violation.
    """
    client_data = read_client_data(raw)
    answered = challenge_in(client_data)
    require(hmac.compare_digest(answered, challenge), "challenge is not the one that was issued")
    require(client_data.get("crossOrigin", False) is False, "ceremony ran in a foreign frame")
    require("topOrigin" not in client_data, "ceremony ran below another top origin")
    # The library compares these two as they are and quotes them, however deeply they are nested.
    for member in ("type", "origin"):
        require(isinstance(client_data.get(member), str), f"{member} is not text")


def challenge_in(client_data: Mapping[str, object]) -> bytes:
    return base64url.decode(client_data.get("challenge"), "challenge")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    require(len(members) == len(pairs), "client data has a name twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise Violation(f"client data holds {name}, which is not JSON")
