"""E-mail addresses: what we take, and the canonical form in which they are unique."""

import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from app.errors import InvalidAddress

_LONGEST_ADDRESS = 254


@dataclass(frozen=True, kw_only=True)
class Address:
    """An address as its owner writes it, and as it is compared."""

    written: str
    canonical: str


def parse_address(text: str) -> Address:
    """Read one addr-spec (RFC 5321 section 4.1.2, without quoted local parts).

    The canonical form is NFC, the local part case-folded, the domain in lower-case A-labels; dots
    and tags are kept, since only the provider knows whether they mean anything. Refused is text
    that NFKC would change beyond NFC (a full-width at sign or a ligature would make two
    spellings of one mailbox), and text with characters that Unicode has not assigned. Raises
    ``InvalidAddress``.
    """
    written = unicodedata.normalize("NFC", text)
    if unicodedata.normalize("NFKC", written) != written:
        raise InvalidAddress
    if len(written) > _LONGEST_ADDRESS:
        raise InvalidAddress
    try:
        valid = validate_email(
            written, check_deliverability=False, strict=True, test_environment=True
        )
    except EmailNotValidError as error:
        raise InvalidAddress from error
    if valid.ascii_domain is None:
        raise InvalidAddress
    local_part = unicodedata.normalize("NFC", valid.local_part.casefold())
    return Address(written=valid.normalized, canonical=f"{local_part}@{valid.ascii_domain.lower()}")
