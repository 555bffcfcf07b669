"""Step-up: who counts as having just shown that it is them."""

from datetime import datetime

from app.blueprints import current
from app.errors import StepUpRequired
from app.services.sessions import OUTSIDE, ActiveSession
from app.services.ways_in import is_vouched_for
from app.transaction import with_transaction


def require_step_up(active: ActiveSession, *, at: datetime) -> None:
    """Raise ``StepUpRequired`` unless the person had authenticated recently at that moment.

    What an identity provider vouched for counts only for people who have no passkey: else whoever
    has taken over an outside account, or finds a browser that is signed in to it, could take the
    account here with everything that the passkey protects.
    """
    if not is_fresh(active, at=at):
        raise StepUpRequired
    if active.authenticated_with.startswith(OUTSIDE) and not _is_vouched_for(active):
        raise StepUpRequired


def is_fresh(active: ActiveSession, *, at: datetime) -> bool:
    """Tell whether the person authenticated recently enough, here and where they did it."""
    since = min(active.authenticated_at, active.auth_time or active.authenticated_at)
    return at - since <= current.settings().step_up


def _is_vouched_for(active: ActiveSession) -> bool:
    issuers = current.settings().open_issuers
    return with_transaction(
        lambda session: is_vouched_for(
            session, active.person.id, identity_id=active.authenticator_id, issuers=issuers
        ),
        writes=False,
    )
