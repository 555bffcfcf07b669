"""The relying party: options for both ceremonies, and the verdict on what comes back."""

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from app.errors import AssertionRejected, AttestationRejected

from . import base64url, library
from .authenticator_data import check_assertion_data, read_attestation_object
from .client_data import check_client_data
from .credential_key import ALGORITHMS, check_credential_key
from .options import Descriptor, descriptors, milliseconds, signal
from .responses import (
    read_authentication_response,
    read_challenge,
    read_credential_id,
    read_registration_response,
)
from .values import RegisteredCredential, StoredKey, VerifiedAssertion
from .violation import Violation, require


@dataclass(frozen=True)
class RelyingParty:
    """This service, in the words of WebAuthn: its id, its name and the one origin it serves."""

    rp_id: str
    name: str
    origin: str

    def registration_options(
        self,
        *,
        user_handle: bytes,
        user_name: str,
        display_name: str,
        challenge: bytes,
        exclude: Iterable[Descriptor],
        timeout: timedelta,
    ) -> dict[str, object]:
        """PublicKeyCredentialCreationOptionsJSON for a discoverable credential."""
        return {
            "rp": {"id": self.rp_id, "name": self.name},
            "user": {
                "id": base64url.encode(user_handle),
                "name": user_name,
                "displayName": display_name,
            },
            "challenge": base64url.encode(challenge),
            "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in ALGORITHMS],
            "timeout": milliseconds(timeout),
            "excludeCredentials": descriptors(exclude),
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": True,
                "userVerification": "required",
            },
            "attestation": "none",
        }

    def authentication_options(
        self, *, challenge: bytes, allow: Iterable[Descriptor], timeout: timedelta
    ) -> dict[str, object]:
        """PublicKeyCredentialRequestOptionsJSON; with nothing allowed, any discoverable credential.

        An empty list means to browsers what no list means.
        """
        return {
            "challenge": base64url.encode(challenge),
            "timeout": milliseconds(timeout),
            "rpId": self.rp_id,
            "allowCredentials": descriptors(allow),
            "userVerification": "required",
        }

    def finish_registration(
        self, *, credential: Mapping[str, object], challenge: bytes
    ) -> RegisteredCredential:
        """Verify a registration (WebAuthn L3 §7.1, steps 5 to 25).

        Raises AttestationRejected, its reason for the log. Left to the caller: that the challenge
        was issued for this and is spent (step 8), and that nobody has the credential yet (step 26).
        """
        try:
            response = read_registration_response(credential)
            check_client_data(response.client_data_json, challenge=challenge)
            attested = read_attestation_object(response.attestation_object)
            require(
                attested.credential_id == response.credential_id,
                "credential id is not the attested one",
            )
            check_credential_key(attested.public_key)
            verdict = library.verify_registration(
                response, rp_id=self.rp_id, origin=self.origin, challenge=challenge
            )
        except Violation as violation:
            raise AttestationRejected(reason=str(violation)) from violation
        return RegisteredCredential(
            credential_id=attested.credential_id,
            public_key=attested.public_key,
            sign_count=verdict.sign_count,
            transports=response.transports,
            aaguid=verdict.aaguid,
            backup_eligible=verdict.backup_eligible,
            backed_up=verdict.backed_up,
        )

    def finish_authentication(
        self,
        *,
        credential: Mapping[str, object],
        challenge: bytes,
        stored: StoredKey,
        user_handle_required: bool,
    ) -> VerifiedAssertion:
        """Verify an authentication against the credential on record (WebAuthn L3 §7.2, 5 to 21).

        The user handle is required where no credential was allowed by name. Raises
        AssertionRejected, its reason for the log. Left to the caller: that the challenge was issued
        for this and is spent (step 11), what a sign count means (step 22), and that the credential
        was allowed (step 5).
        """
        try:
            response = read_authentication_response(credential)
            require(
                response.credential_id == stored.credential_id,
                "credential id is not the one on record",
            )
            _check_owner(response.user_handle, stored.user_handle, required=user_handle_required)
            check_client_data(response.client_data_json, challenge=challenge)
            check_assertion_data(response.authenticator_data)
            verdict = library.verify_authentication(
                response,
                rp_id=self.rp_id,
                origin=self.origin,
                challenge=challenge,
                public_key=stored.public_key,
            )
            require(
                verdict.backup_eligible == stored.backup_eligible,
                "backup eligibility is not the one on record",
            )
        except Violation as violation:
            raise AssertionRejected(reason=str(violation)) from violation
        return VerifiedAssertion(sign_count=verdict.sign_count, backed_up=verdict.backed_up)

    @staticmethod
    def challenge_of(credential: Mapping[str, object]) -> bytes | None:
        """The challenge that a response claims to answer, unproved; None when unreadable."""
        return _unproved(read_challenge, credential)

    @staticmethod
    def credential_id_of(credential: Mapping[str, object]) -> bytes | None:
        """The credential that a response claims to come from, unproved; None when unreadable."""
        return _unproved(read_credential_id, credential)

    def unknown_credential(self, credential_id: bytes) -> dict[str, object]:
        """Have the password manager forget a credential for good (§5.1.10.2)."""
        return signal(
            "signalUnknownCredential",
            rpId=self.rp_id,
            credentialId=base64url.encode(credential_id),
        )

    def all_accepted_credentials(
        self, user_handle: bytes, credential_ids: Iterable[bytes]
    ) -> dict[str, object]:
        """Have the password manager hide every credential of this user that is not named."""
        return signal(
            "signalAllAcceptedCredentials",
            rpId=self.rp_id,
            userId=base64url.encode(user_handle),
            allAcceptedCredentialIds=[base64url.encode(each) for each in credential_ids],
        )

    def current_user_details(
        self, user_handle: bytes, name: str, display_name: str
    ) -> dict[str, object]:
        """Have the password manager show this user's present names."""
        return signal(
            "signalCurrentUserDetails",
            rpId=self.rp_id,
            userId=base64url.encode(user_handle),
            name=name,
            displayName=display_name,
        )


def _unproved(
    read: Callable[[object], bytes | None], credential: Mapping[str, object]
) -> bytes | None:
    try:
        return read(credential)
    except Violation:
        return None


def _check_owner(claimed: bytes | None, owner: bytes, *, required: bool) -> None:
    """§7.2 step 6."""
    require(claimed is not None or not required, "user handle is missing")
    if claimed is not None:
        require(hmac.compare_digest(claimed, owner), "user handle is not the owner's")
