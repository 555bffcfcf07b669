"""What the pages say of the application that a person is on the way to, or is kept out of."""

from dataclasses import dataclass

from flask import request

from app.blueprints.return_paths import application_on_the_way
from app.services.applications import find_application
from app.services.handovers import is_let_in
from app.transaction import with_transaction


@dataclass(frozen=True, kw_only=True)
class RefusingApplication:
    """An application that sent somebody here."""

    name: str
    lets_in: bool
    """It does, at this moment: what is not for the person is a part of it alone."""


def find_next_application() -> str | None:
    """Name the application that the person goes on to after signing in, if there is one."""
    application_id = application_on_the_way(request.args.get("return_to"))
    if application_id is None:
        return None
    return with_transaction(
        lambda session: (
            found.name if (found := find_application(session, application_id)) else None
        ),
        writes=False,
    )


def find_refusing_application(user_id: str) -> RefusingApplication | None:
    """Tell of the application that the page is asked about, unless it is unknown."""
    application_id = request.args.get("app", "")
    return with_transaction(
        lambda session: (
            RefusingApplication(
                name=found.name,
                lets_in=is_let_in(session, user_id=user_id, allowed_groups=found.allowed_groups),
            )
            if (found := find_application(session, application_id))
            else None
        ),
        writes=False,
    )
