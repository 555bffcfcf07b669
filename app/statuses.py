"""Refusals as HTTP has them: the status of each, in one table, and the document that tells it."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from app import errors
from app.errors import ServiceError

_STATUS: dict[type[ServiceError], int] = {
    errors.InvalidBody: 422,
    errors.InvalidAddress: 422,
    errors.MalformedRequest: 400,
    errors.UnsupportedContentType: 415,
    errors.MisdirectedRequest: 421,
    errors.CrossSiteRequest: 403,
    errors.CookieRefused: 400,
    errors.NotSignedIn: 401,
    errors.EnrolmentOnly: 403,
    errors.StepUpRequired: 403,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.AddressTaken: 409,
    errors.RegistrationClosed: 403,
    errors.RegistrationByInvitation: 403,
    errors.InvitationUnusable: 403,
    errors.ChallengeUnusable: 400,
    errors.AttestationRejected: 400,
    errors.CredentialAlreadyRegistered: 409,
    errors.TooManyCredentials: 409,
    errors.AssertionRejected: 401,
    errors.CloneSuspected: 401,
    errors.AccountDisabled: 403,
    errors.LastWayIn: 409,
    errors.LastAdministrator: 409,
    errors.HandoverUnusable: 400,
    errors.RecoveryCodeUnusable: 403,
    errors.AuthorizationDenied: 403,
    errors.AuthorizationRequestUnusable: 400,
    errors.IdentityRejected: 403,
    errors.ProviderUnavailable: 503,
    errors.GrantInvalid: 409,
    errors.AccountExists: 409,
    errors.IdentityAlreadyLinked: 409,
    errors.TooManyIdentities: 409,
    errors.WrongIdentity: 403,
    errors.ReauthenticationStale: 403,
    errors.PasskeyRequired: 403,
    errors.InvalidApplication: 422,
    errors.ApplicationTaken: 409,
    errors.InvalidGroup: 422,
    errors.TooManyGroups: 422,
    errors.DatabaseUnavailable: 503,
    errors.SchemaTooOld: 503,
    errors.SchemaTooNew: 503,
}


def status_of(refusal: type[ServiceError]) -> int:
    """Give the status that a refusal is answered with."""
    return _STATUS[refusal]


def problem_document(
    status: int, code: str, detail: str, members: Mapping[str, object] | None = None
) -> str:
    """Write a refusal as a problem document (RFC 9457)."""
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **(members or {}),
    }
    return json.dumps(problem)
