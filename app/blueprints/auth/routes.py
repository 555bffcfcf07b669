"""The ceremonies: create an account, sign in, show again that it is you."""

from flask import Blueprint

from app.blueprints import current
from app.blueprints.auth.schemas import BeginRegistration
from app.blueprints.guards import Level, Reply, Unit, operation
from app.blueprints.schemas import (
    FinishedCeremony,
    FinishedRegistration,
    Nothing,
    Options,
    SignedInAnswer,
)
from app.errors import (
    AccountDisabled,
    AddressTaken,
    AssertionRejected,
    AttestationRejected,
    ChallengeUnusable,
    CredentialAlreadyRegistered,
    InvalidAddress,
    InvitationUnusable,
    RegistrationByInvitation,
    RegistrationClosed,
)
from app.extensions import db
from app.models import Purpose
from app.services.challenges import ConsumedChallenge

blueprint = Blueprint("auth", __name__, url_prefix="/api/auth")

_NO_LEAVE = (AddressTaken, InvitationUnusable, RegistrationByInvitation, RegistrationClosed)
_NOT_PROVED = (AccountDisabled, AssertionRejected, ChallengeUnusable)


@blueprint.post("/registration/options")
@operation(
    Level.PUBLIC,
    Unit.WRITES,
    body=BeginRegistration,
    answer=Options,
    refusals=(InvalidAddress, *_NO_LEAVE),
)
def begin_registration(body: BeginRegistration) -> Options:
    """Begin to create an account with a passkey."""
    options = current.registration().begin(
        db.session(),
        binding=current.binding(to_session=False),
        email=body.email,
        name=body.name,
        invitation=body.invitation,
    )
    return Options.model_validate(options)


@blueprint.post("/registration")
@operation(
    Level.PUBLIC,
    Unit.WRITES,
    body=FinishedRegistration,
    consumes=Purpose.REGISTRATION,
    answer=SignedInAnswer,
    status=201,
    refusals=(
        AttestationRejected,
        ChallengeUnusable,
        CredentialAlreadyRegistered,
        *_NO_LEAVE,
    ),
)
def finish_registration(body: FinishedRegistration, challenge: ConsumedChallenge) -> Reply:
    """Create the account, its passkey and its first session."""
    enrolled = current.registration().finish(
        db.session(),
        challenge=challenge,
        credential=body.credential,
        credential_name=body.credential_name,
        device=current.device(),
        replaces=current.session_token(),
    )
    return Reply(
        body=SignedInAnswer.of(enrolled.active), opened=enrolled.active, token=enrolled.token
    )


@blueprint.post("/authentication/options")
@operation(Level.PUBLIC, Unit.WRITES, body=Nothing, answer=Options)
def begin_authentication(body: Nothing) -> Options:  # noqa: ARG001 - its emptiness was checked
    """Begin to sign in; no user name is needed."""
    options = current.authentication().begin(
        db.session(), binding=current.binding(to_session=False)
    )
    return Options.model_validate(options)


@blueprint.post("/authentication")
@operation(
    Level.PUBLIC,
    Unit.WRITES,
    body=FinishedCeremony,
    consumes=Purpose.AUTHENTICATION,
    answer=SignedInAnswer,
    refusals=_NOT_PROVED,
)
def finish_authentication(body: FinishedCeremony, challenge: ConsumedChallenge) -> Reply:
    """Sign in."""
    signed_in = current.authentication().finish(
        db.session(),
        challenge=challenge,
        credential=body.credential,
        device=current.device(),
        replaces=current.session_token(),
    )
    return Reply(
        body=SignedInAnswer.of(signed_in.active), opened=signed_in.active, token=signed_in.token
    )


@blueprint.post("/reauthentication/options")
@operation(Level.SIGNED_IN, Unit.WRITES, body=Nothing, answer=Options)
def begin_reauthentication(body: Nothing) -> Options:  # noqa: ARG001 - its emptiness was checked
    """Begin to show again, by one of your passkeys, that it is you."""
    options = current.authentication().begin_step_up(
        db.session(), binding=current.binding(to_session=True), active=current.active_session()
    )
    return Options.model_validate(options)


@blueprint.post("/reauthentication")
@operation(
    Level.SIGNED_IN,
    Unit.WRITES,
    body=FinishedCeremony,
    consumes=Purpose.REAUTHENTICATION,
    answer=SignedInAnswer,
    refusals=_NOT_PROVED,
)
def finish_reauthentication(body: FinishedCeremony, challenge: ConsumedChallenge) -> Reply:
    """Show that it is you; the session's token is swapped for a new one."""
    renewed = current.authentication().finish_step_up(
        db.session(),
        challenge=challenge,
        credential=body.credential,
        active=current.active_session(),
        replaces=current.session_token(),
    )
    return Reply(body=SignedInAnswer.of(renewed.active), opened=renewed.active, token=renewed.token)
