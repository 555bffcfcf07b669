"""What a provider said of a person and what does not hold of it."""

from app.errors import IdentityRejected


def require(claim: object, rule: str) -> None:
    """Raise IdentityRejected unless the claim holds; the rule's name is for the log only."""
    if not claim:
        raise IdentityRejected(reason=rule)
