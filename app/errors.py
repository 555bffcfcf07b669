"""What can go wrong, in the words of the service. Knows no Flask and no status codes.

Each outcome that a caller can act on is a class with a stable ``code`` and a sentence that is
safe to show to anybody. ``app.problems`` maps the classes to HTTP.
"""

from collections.abc import Mapping
from typing import ClassVar


class SettingsError(Exception):
    """A setting is wrong or missing; the message is one sentence that names the variable."""


class ServiceError(Exception):
    """A request that cannot be granted, with a code for programs and a sentence for people."""

    code: ClassVar[str]
    sentence: ClassVar[str]
    remembered: ClassVar[bool] = False
    """Commit what was flushed before the raise: the refusal itself is worth keeping."""

    def __init__(self, sentence: str | None = None, *, reason: str | None = None) -> None:
        """Take another sentence than the class's, and a reason that only the log may see."""
        super().__init__(sentence or self.sentence)
        self.reason = reason

    @property
    def members(self) -> Mapping[str, object]:
        """Further members of the problem document."""
        return {}


class InvalidBody(ServiceError):
    """The request's body is not what the operation takes."""

    code = "invalid_body"
    sentence = "Some of what was sent is not valid."

    def __init__(self, errors: list[dict[str, str]]) -> None:
        """Take one ``{"field", "message"}`` for each fault found."""
        super().__init__()
        self.errors = errors

    @property
    def members(self) -> Mapping[str, object]:
        """The faults, a field each."""
        return {"errors": self.errors}


class MalformedRequest(ServiceError):
    """The request cannot be read at all."""

    code = "malformed_request"
    sentence = "The request could not be read."


class UnsupportedContentType(ServiceError):
    """The body of the request is not JSON."""

    code = "unsupported_content_type"
    sentence = "The body must be JSON, sent as application/json."


class MisdirectedRequest(ServiceError):
    """The request was made to a host name that is not this service's."""

    code = "misdirected_request"
    sentence = "This service does not answer under that host name."


class CrossSiteRequest(ServiceError):
    """A state change without proof that a page of ours asked for it."""

    code = "cross_site_request"
    sentence = "That request did not come from a page of this service, so nothing was changed."


class CookieRefused(ServiceError):
    """A cookie of ours arrives twice or is not one that we made."""

    code = "cookie_refused"
    sentence = "Your browser sent a damaged cookie. It has been cleared: please try again."


class NotSignedIn(ServiceError):
    """The request carries no session that is still good."""

    code = "not_signed_in"
    sentence = "Please sign in first."


class EnrolmentOnly(ServiceError):
    """A recovery session asks for something else than enrolling a passkey."""

    code = "enrolment_only"
    sentence = "Create a new passkey first; after that your account is open again."


class StepUpRequired(ServiceError):
    """The last authentication is too long ago for what is asked."""

    code = "step_up_required"
    sentence = "Please confirm that it is you."


class NotAllowed(ServiceError):
    """The person is signed in, and this application or page is not for them."""

    code = "not_allowed"
    sentence = "Your account may not use this."


class NotFound(ServiceError):
    """There is no such thing, or none that this person may see."""

    code = "not_found"
    sentence = "There is nothing here by that name."


class InvalidAddress(ServiceError):
    """The text is not one e-mail address that we take."""

    code = "invalid_address"
    sentence = "That is not a valid e-mail address."


class AddressTaken(ServiceError):
    """Another account has this address."""

    code = "address_taken"
    sentence = "An account with that address exists already. Sign in to it instead."


class RegistrationClosed(ServiceError):
    """Nobody can create an account here."""

    code = "registration_closed"
    sentence = "New accounts cannot be created here at the moment."


class RegistrationByInvitation(ServiceError):
    """Accounts are created by invitation only, and there was none."""

    code = "registration_by_invitation"
    sentence = "You need an invitation to create an account here."


class InvitationUnusable(ServiceError):
    """The invitation is unknown, used, expired, or for another address."""

    code = "invitation_unusable"
    sentence = "That invitation cannot be used: it has expired, was used, or is for someone else."


class ChallengeUnusable(ServiceError):
    """The ceremony's challenge is unknown, used, expired, or another browser's."""

    code = "challenge_unusable"
    sentence = "That attempt took too long or was already used. Please try again."


class AttestationRejected(ServiceError):
    """The response to a registration ceremony does not hold."""

    code = "attestation_rejected"
    sentence = "That passkey could not be accepted. Please try again, or use another device."


class CredentialAlreadyRegistered(ServiceError):
    """The credential belongs to an account already."""

    code = "credential_already_registered"
    sentence = "That passkey is in use already."


class TooManyCredentials(ServiceError):
    """The account holds as many passkeys as it may."""

    code = "too_many_credentials"
    sentence = "This account has as many passkeys as it can hold. Remove one first."


class AssertionRejected(ServiceError):
    """The response to an authentication ceremony does not hold, whatever the cause."""

    code = "assertion_rejected"
    sentence = "That passkey was not recognised here. Try another one."

    def __init__(
        self,
        sentence: str | None = None,
        *,
        reason: str | None = None,
        signal: Mapping[str, object] | None = None,
    ) -> None:
        """Take a Signal API payload where the passkey's removal is on record."""
        super().__init__(sentence, reason=reason)
        self.signal = signal

    @property
    def members(self) -> Mapping[str, object]:
        """The signal for the password manager, where there is one."""
        return {} if self.signal is None else {"signal": self.signal}


class CloneSuspected(AssertionRejected):
    """The sign count did not advance: a copy of the passkey may exist (WebAuthn §7.2 step 22)."""

    remembered = True


class AccountDisabled(ServiceError):
    """The passkey is right, and the account is closed to its owner for now."""

    code = "account_disabled"
    sentence = "This account has been disabled. Please ask whoever runs this service."


class LastWayIn(ServiceError):
    """The change would leave the person without a way to sign in."""

    code = "last_way_in"
    sentence = "This is the last way into your account. Add another one before removing it."


class LastAdministrator(ServiceError):
    """The change would leave the service without an administrator."""

    code = "last_administrator"
    sentence = "This is the last administrator. Make somebody else an administrator first."


class AuthorizationDenied(ServiceError):
    """The person, or their provider, said no at the provider's page."""

    code = "authorization_denied"
    sentence = "Nothing was shared and nothing was changed, because the sign-in was stopped there."


class AuthorizationRequestUnusable(ServiceError):
    """The state is unknown, used, expired, or another browser's, provider's or session's."""

    code = "authorization_request_unusable"
    sentence = "That attempt took too long, was already used or began elsewhere. Please try again."


class IdentityRejected(ServiceError):
    """What the provider said of the person does not hold, whatever the cause."""

    code = "identity_rejected"
    sentence = "What the other service said about you could not be accepted. Please try again."


class ProviderUnavailable(ServiceError):
    """The provider did not answer, in time or at all, or not in a way that can be read."""

    code = "provider_unavailable"
    sentence = "The other service cannot be reached at the moment. Please try again shortly."


class GrantInvalid(ServiceError):
    """The provider takes the grant no longer: a code that was used, a refresh token revoked."""

    code = "grant_invalid"
    sentence = "The other service no longer takes that. Please link your account there again."


class AccountExists(ServiceError):
    """The provider's verified address is proved for an account of somebody here already."""

    code = "account_exists"
    sentence = (
        "Your address has an account here. Sign in to it as always, and link the other one there."
    )


class IdentityAlreadyLinked(ServiceError):
    """The outside account opens another person's account already."""

    code = "identity_already_linked"
    sentence = "That account is linked to somebody else here, so it was not linked to yours."


class TooManyIdentities(ServiceError):
    """The account holds as many linked accounts as it may."""

    code = "too_many_identities"
    sentence = "This account has as many linked accounts as it can hold. Unlink one first."


class WrongIdentity(ServiceError):
    """Whoever came back from the provider is not the person who is signed in here."""

    code = "wrong_identity"
    sentence = "You came back with an account that is not linked to yours. Please try again."


class ReauthenticationStale(ServiceError):
    """The provider did not ask the person again."""

    code = "reauthentication_stale"
    sentence = "The other service did not ask again who you are. Please sign out there first."


class PasskeyRequired(ServiceError):
    """The person has a passkey, so no provider's word stands in for it."""

    code = "passkey_required"
    sentence = "Your account has a passkey: please confirm with it that it is you."


class InvalidApplication(ServiceError):
    """What an operator says of an application is not what an application can have."""

    code = "invalid_application"
    sentence = "An application cannot be registered like that."


class ApplicationTaken(ServiceError):
    """Another application has the id, or a host, already."""

    code = "application_taken"
    sentence = "Another application has that id or that host already."


class InvalidGroup(ServiceError):
    """The text cannot be a group's name."""

    code = "invalid_group"
    sentence = "That is not a valid name of a group."


class TooManyGroups(ServiceError):
    """More groups than a header that every application reads can hold."""

    code = "too_many_groups"
    sentence = "Those are more groups than one can have."


class HandoverUnusable(ServiceError):
    """The code is unknown, used, expired, another browser's or application's, or void by now."""

    code = "handover_unusable"
    sentence = "That way in was used already, took too long, or began in another browser."
    remembered = True


class RecoveryCodeUnusable(ServiceError):
    """The recovery code is unknown, used or expired."""

    code = "recovery_code_unusable"
    sentence = "That recovery code is not valid, has expired, or was used before."


class DatabaseUnavailable(ServiceError):
    """The database did not answer, in time or at all."""

    code = "database_unavailable"
    sentence = "The service cannot reach its database at the moment. Please try again shortly."


class SchemaTooOld(ServiceError):
    """The database lacks a migration that this release needs."""

    code = "schema_too_old"
    sentence = "The database lacks a migration of this release: run `flask db upgrade` first."


class SchemaTooNew(ServiceError):
    """A later release has changed the database in a way that this one cannot serve on."""

    code = "schema_too_new"
    sentence = "The database was upgraded beyond what this release can serve: run a newer release."
