"""What an identity provider says of a person, in the form in which we keep it.

The provider is trusted to know its people, not to send text that can be stored.
"""

import unicodedata

from app.errors import InvalidAddress
from app.identity_providers import ExternalIdentity
from app.services.addresses import Address, parse_address

_LONGEST_NAME = 100
_LONGEST_CLAIM = 320
_UNFIT = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def proved_address(external: ExternalIdentity) -> Address | None:
    """Give the address that the provider proves, if there is one that we take."""
    if not external.email_verified or external.email is None:
        return None
    try:
        return parse_address(external.email)
    except InvalidAddress:
        return None


def name_of(external: ExternalIdentity, *, label: str) -> str:
    """Choose a name for a new account: one line of at most 100 characters."""
    local_part = (external.email or "").partition("@")[0]
    for candidate in (external.name, external.username, local_part):
        if name := _one_line(candidate or "", _LONGEST_NAME):
            return name
    return f"{label} user"


def profile_of(external: ExternalIdentity) -> dict[str, object]:
    """Give what the account page shows of an identity; the address here is no proof."""
    told = {"name": external.name, "username": external.username, "email": external.email}
    return {key: _one_line(value or "", _LONGEST_CLAIM) or None for key, value in told.items()}


def _one_line(text: str, longest: int) -> str:
    normal = unicodedata.normalize("NFC", " ".join(text[: 4 * longest].split()))
    fit = "".join(one for one in normal if unicodedata.category(one) not in _UNFIT)
    return fit[:longest].strip()
