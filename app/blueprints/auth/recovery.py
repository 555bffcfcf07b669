"""Recovery codes: made while signed in, used when every passkey is lost."""

from app.blueprints import current
from app.blueprints.auth.routes import blueprint
from app.blueprints.auth.schemas import RecoveryCodes, RecoveryCodesLeft, RedeemCode
from app.blueprints.guards import Level, Reply, Unit, operation
from app.blueprints.schemas import Nothing, SignedInAnswer
from app.errors import RecoveryCodeUnusable
from app.extensions import db
from app.services import recovery


@blueprint.get("/recovery-codes")
@operation(Level.SIGNED_IN, answer=RecoveryCodesLeft)
def count_recovery_codes() -> RecoveryCodesLeft:
    """Tell how many of my recovery codes are left."""
    left = recovery.remaining_codes(db.session(), user_id=current.active_session().person.id)
    return RecoveryCodesLeft.model_validate(left)


@blueprint.post("/recovery-codes")
@operation(Level.STEP_UP, Unit.WRITES, body=Nothing, answer=RecoveryCodes, status=201)
def renew_recovery_codes(body: Nothing) -> RecoveryCodes:  # noqa: ARG001 - checked to be empty
    """Make ten new recovery codes; the old ones are void."""
    codes = recovery.renew_codes(db.session(), user_id=current.active_session().person.id)
    return RecoveryCodes(codes=codes)


@blueprint.post("/recovery")
@operation(
    Level.PUBLIC,
    Unit.WRITES,
    body=RedeemCode,
    answer=SignedInAnswer,
    refusals=(RecoveryCodeUnusable,),
)
def recover(body: RedeemCode) -> Reply:
    """Use a recovery code: opens a session that can enrol a passkey and nothing else."""
    signed_in = current.authentication().recover(
        db.session(),
        code=body.code,
        device=current.device(),
        replaces=current.session_token(),
    )
    return Reply(
        body=SignedInAnswer.of(signed_in.active), opened=signed_in.active, token=signed_in.token
    )
