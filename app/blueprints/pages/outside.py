"""What the pages say of identity providers, and of round trips to them that came to nothing."""

from collections.abc import Iterable

from app import errors
from app.config import ProviderSettings
from app.errors import ServiceError

_REFUSALS: dict[str, type[ServiceError]] = {
    refusal.code: refusal
    for refusal in (
        errors.AccountDisabled,
        errors.AccountExists,
        errors.AuthorizationDenied,
        errors.AuthorizationRequestUnusable,
        errors.IdentityAlreadyLinked,
        errors.IdentityRejected,
        errors.NotSignedIn,
        errors.PasskeyRequired,
        errors.ProviderUnavailable,
        errors.ReauthenticationStale,
        errors.RegistrationByInvitation,
        errors.RegistrationClosed,
        errors.StepUpRequired,
        errors.TooManyIdentities,
        errors.WrongIdentity,
    )
}


def refusal_by_code(code: str | None) -> type[ServiceError] | None:
    """Give the refusal that a round trip may end in, by its code."""
    return _REFUSALS.get(code or "")


def find_provider(
    providers: Iterable[ProviderSettings], name: str | None
) -> ProviderSettings | None:
    """Give the provider of this name, if it is switched on."""
    return next((one for one in providers if one.name == name), None)
