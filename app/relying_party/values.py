"""What goes into a ceremony and what comes out of one."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RegisteredCredential:
    """A credential record to store (WebAuthn L3 §7.1 step 27)."""

    credential_id: bytes
    public_key: bytes
    """COSE_Key, as attested."""
    sign_count: int
    transports: tuple[str, ...]
    aaguid: str | None
    """UUID text, not attested; None when the authenticator keeps its make to itself."""
    backup_eligible: bool
    backed_up: bool


@dataclass(frozen=True, kw_only=True)
class StoredKey:
    """What is on record about the credential that an assertion claims to come from."""

    credential_id: bytes
    public_key: bytes
    user_handle: bytes
    backup_eligible: bool


@dataclass(frozen=True, kw_only=True)
class VerifiedAssertion:
    """What a valid assertion says besides being valid (§7.2 step 24)."""

    sign_count: int
    backed_up: bool
