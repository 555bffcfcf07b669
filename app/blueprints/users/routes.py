"""My own record."""

from flask import Blueprint

from app.blueprints import current
from app.blueprints.guards import Level, Unit, operation
from app.blueprints.schemas import ChangedPerson, PersonAnswer, SignalCall
from app.blueprints.users.schemas import ChangeProfile
from app.extensions import db
from app.services import credentials, people

blueprint = Blueprint("users", __name__, url_prefix="/api/users")


@blueprint.get("/me")
@operation(Level.SIGNED_IN, Unit.NONE, answer=PersonAnswer)
def get_me() -> PersonAnswer:
    """Tell who I am."""
    return PersonAnswer.model_validate(current.active_session().person)


@blueprint.patch("/me")
@operation(Level.SIGNED_IN, Unit.WRITES, body=ChangeProfile, answer=ChangedPerson)
def change_me(body: ChangeProfile) -> ChangedPerson:
    """Change my name or my locale."""
    user = people.update_profile(
        db.session(),
        user_id=current.active_session().person.id,
        changes=body.model_dump(exclude_unset=True),
    )
    signal = credentials.person_signal(relying_party=current.relying_party(), user=user)
    return ChangedPerson(
        user=PersonAnswer.model_validate(people.describe(user)),
        signals=[SignalCall.model_validate(signal)],
    )
