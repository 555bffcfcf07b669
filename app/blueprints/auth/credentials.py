"""My passkeys: list, add, rename, remove."""

from app.blueprints import current
from app.blueprints.auth.routes import blueprint
from app.blueprints.auth.schemas import (
    ChangedCredential,
    CredentialAnswer,
    CredentialList,
    EnrolledCredential,
    RenameCredential,
    Signals,
)
from app.blueprints.guards import Level, Reply, Unit, operation
from app.blueprints.schemas import (
    FinishedRegistration,
    Nothing,
    Options,
    PageQuery,
    SignalCall,
    SignedInAnswer,
    cursor,
)
from app.errors import (
    AttestationRejected,
    ChallengeUnusable,
    CredentialAlreadyRegistered,
    LastWayIn,
    NotFound,
    TooManyCredentials,
)
from app.extensions import db
from app.models import Purpose
from app.services import credentials
from app.services.challenges import ConsumedChallenge


@blueprint.get("/credentials")
@operation(Level.SIGNED_IN, query=PageQuery, answer=CredentialList)
def list_credentials(query: PageQuery) -> CredentialList:
    """List my passkeys in the order in which they were added."""
    rows = credentials.list_credentials(
        db.session(),
        user_id=current.active_session().person.id,
        after=query.after,
        limit=query.limit + 1,
    )
    items, next_cursor = cursor(list(rows), query.limit)
    return CredentialList(
        items=[CredentialAnswer.model_validate(row) for row in items], next=next_cursor
    )


@blueprint.post("/credentials/options")
@operation(
    Level.ENROLMENT,
    Unit.WRITES,
    body=Nothing,
    answer=Options,
    refusals=(TooManyCredentials,),
)
def begin_enrolment(body: Nothing) -> Options:  # noqa: ARG001 - its emptiness was checked
    """Begin to add a passkey to my account."""
    options = current.registration().begin_enrolment(
        db.session(), binding=current.binding(to_session=True), active=current.active_session()
    )
    return Options.model_validate(options)


@blueprint.post("/credentials")
@operation(
    Level.ENROLMENT,
    Unit.WRITES,
    body=FinishedRegistration,
    consumes=Purpose.ENROLMENT,
    answer=EnrolledCredential,
    status=201,
    refusals=(
        AttestationRejected,
        ChallengeUnusable,
        CredentialAlreadyRegistered,
        TooManyCredentials,
    ),
)
def finish_enrolment(body: FinishedRegistration, challenge: ConsumedChallenge) -> Reply:
    """Add a passkey to my account; a recovery session becomes a full one."""
    enrolled = current.registration().finish_enrolment(
        db.session(),
        challenge=challenge,
        credential=body.credential,
        credential_name=body.credential_name,
        active=current.active_session(),
        device=current.device(),
    )
    signed_in = SignedInAnswer.of(enrolled.active)
    answer = EnrolledCredential(
        credential=CredentialAnswer.model_validate(enrolled.credential),
        user=signed_in.user,
        session=signed_in.session,
    )
    return Reply(body=answer, opened=enrolled.active, token=enrolled.token)


@blueprint.patch("/credentials/<id:id>")
@operation(
    Level.SIGNED_IN,
    Unit.WRITES,
    body=RenameCredential,
    answer=ChangedCredential,
    refusals=(NotFound,),
)
def rename_credential(id: str, body: RenameCredential) -> ChangedCredential:  # noqa: A002
    """Give one of my passkeys another name."""
    user_id = current.active_session().person.id
    renamed = credentials.rename_credential(
        db.session(), user_id=user_id, row_id=id, name=body.name
    )
    return ChangedCredential(
        credential=CredentialAnswer.model_validate(renamed), signals=_signals(user_id)
    )


@blueprint.delete("/credentials/<id:id>")
@operation(Level.STEP_UP, Unit.WRITES, answer=Signals, refusals=(LastWayIn, NotFound))
def remove_credential(id: str) -> Signals:  # noqa: A002 - the path's name for it
    """Remove one of my passkeys, unless it is the last way into my account."""
    user_id = current.active_session().person.id
    credentials.remove_credential(
        db.session(), user_id=user_id, row_id=id, issuers=current.settings().open_issuers
    )
    return Signals(signals=_signals(user_id))


def _signals(user_id: str) -> list[SignalCall]:
    signal = credentials.accepted_credentials_signal(
        db.session(), relying_party=current.relying_party(), user_id=user_id
    )
    return [SignalCall.model_validate(signal)]
