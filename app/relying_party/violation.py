"""What a response does wrong, as one exception that never leaves this package."""


class Violation(Exception):
    """A response breaks a rule of its ceremony; the message names the rule, for the log only."""


def require(claim: object, rule: str) -> None:
    """Raise Violation with the rule's name unless the claim holds."""
    if not claim:
        raise Violation(rule)
