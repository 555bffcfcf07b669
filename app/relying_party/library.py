"""The one place where py_webauthn gives its verdict.

It compares the type of the ceremony, the origin and the RP id hash, demands user presence and user
verification, refuses BS without BE, and verifies the signatures. Whatever else it raises on
hostile input becomes a refusal like its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    CredentialDeviceType,
    RegistrationCredential,
)

from . import base64url
from .credential_key import ALGORITHMS
from .responses import AuthenticationResponse, RegistrationResponse
from .violation import Violation

FAILURES = (WebAuthnException, ValueError, KeyError, IndexError, TypeError)
"""What the library raises: its own, and what a spoilt key on record provokes."""

LONGEST_REASON = 200
"""Characters: the library quotes what the client sent."""

NO_AAGUID = "00000000-0000-0000-0000-000000000000"

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a response that holds says about its credential."""

    sign_count: int
    backup_eligible: bool
    backed_up: bool
    aaguid: str | None = None


def verify_registration(
    response: RegistrationResponse, *, rp_id: str, origin: str, challenge: bytes
) -> Verdict:
    """Verify the attestation, by an algorithm that was offered; raises Violation."""
    verified = _ask(
        verify_registration_response,
        credential=RegistrationCredential(
            id=base64url.encode(response.credential_id),
            raw_id=response.credential_id,
            response=AuthenticatorAttestationResponse(
                client_data_json=response.client_data_json,
                attestation_object=response.attestation_object,
            ),
        ),
        expected_challenge=challenge,
        expected_rp_id=rp_id,
        expected_origin=origin,
        require_user_verification=True,
        supported_pub_key_algs=[COSEAlgorithmIdentifier(alg) for alg in ALGORITHMS],
    )
    return Verdict(
        sign_count=verified.sign_count,
        backup_eligible=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        backed_up=verified.credential_backed_up,
        aaguid=None if verified.aaguid == NO_AAGUID else verified.aaguid,
    )


def verify_authentication(
    response: AuthenticationResponse,
    *,
    rp_id: str,
    origin: str,
    challenge: bytes,
    public_key: bytes,
) -> Verdict:
    """Verify the assertion, whatever its sign count; raises Violation."""
    verified = _ask(
        verify_authentication_response,
        credential=AuthenticationCredential(
            id=base64url.encode(response.credential_id),
            raw_id=response.credential_id,
            response=AuthenticatorAssertionResponse(
                client_data_json=response.client_data_json,
                authenticator_data=response.authenticator_data,
                signature=response.signature,
            ),
        ),
        expected_challenge=challenge,
        expected_rp_id=rp_id,
        expected_origin=origin,
        credential_public_key=public_key,
        # A count to compare with would turn a clone into one more bad signature.
        credential_current_sign_count=0,
        require_user_verification=True,
    )
    return Verdict(
        sign_count=verified.new_sign_count,
        backup_eligible=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        backed_up=verified.credential_backed_up,
    )


def _ask(verify: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return verify(*args, **kwargs)
    except FAILURES as error:
        reason = f"{type(error).__name__}: {str(error)!a}"
        raise Violation(reason[:LONGEST_REASON]) from error
