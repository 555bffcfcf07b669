"""A person with a session that is about to end, and what else there is to see of it."""

from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.models import User, UserSession
from tests.support.authenticator import Json
from tests.support.clients import Browser
from tests.support.deployments import Deployment
from tests.support.people import ADDRESS, Person, json_of, sign_in, sign_up
from tests.support.tables import change
from tests.support.units import run_unit


@dataclass(kw_only=True)
class Besieged:
    """A person with the session under attack and another one elsewhere; somebody uninvolved."""

    deployment: Deployment
    person: Person
    session: Json
    elsewhere: Browser
    bystander: Person

    @property
    def victim(self) -> Browser:
        return self.person.client

    def sign_in(self) -> None:
        """Sign the person in in a new browser, whose session is attacked next."""
        self.person.client = self.deployment.browser()
        answer = sign_in(self.victim, self.person.phone)
        assert answer.status_code == 200, answer.text
        self.session = json_of(answer)["session"]

    def sign_in_elsewhere(self) -> None:
        self.elsewhere = self.deployment.browser()
        assert sign_in(self.elsewhere, self.person.phone).status_code == 200

    def change_person(self, **values: object) -> None:
        self._change(User, str(self.person.user["id"]), values)

    def change_session(self, **values: object) -> None:
        self._change(UserSession, str(self.session["id"]), values)

    def _change(
        self, model: type[User | UserSession], row_id: str, values: dict[str, object]
    ) -> None:
        def unit(session: Session) -> None:
            session.execute(update(model).where(model.id == row_id).values(**values))

        run_unit(self.deployment.app, unit)


def besiege(deployment: Deployment) -> Besieged:
    """Sign both people up, and the first one in twice."""
    addresses = (ADDRESS, "eve@example.org")
    person, bystander = (sign_up(deployment.browser(), email=one) for one in addresses)
    change(deployment.app, User, role="admin")  # so that the bystander is one, whoever else is
    made = Besieged(
        deployment=deployment,
        person=person,
        session=json_of(person.client.get("/api/auth/session"))["session"],
        elsewhere=person.client,
        bystander=bystander,
    )
    made.sign_in_elsewhere()
    return made
