"""Why a call failed, in words for the log and for ``flask oauth check``.

No word of the provider's is repeated, and no URL: either may hold a secret.
"""

import os
import ssl

from urllib3.exceptions import TimeoutError as TimedOut

from app.config.oauth import ProviderSettings

from .deadline import Deadline


class UnacceptableAnswer(ValueError):
    """An answer breaks a rule of ours; the message names the rule."""


def explain(error: Exception, settings: ProviderSettings, deadline: Deadline) -> str:
    """Say what went wrong."""
    cause = next((each for each in error.args if isinstance(each, Exception)), error)
    if deadline.has_passed or isinstance(error, TimedOut | TimeoutError):
        return "it gave no complete answer in time"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({cause.verify_message}): "
            f"OAUTH_{settings.name.upper()}_CA_FILE may name certificates to trust instead"
        )
    if isinstance(cause, ssl.SSLError):
        return "no TLS connection could be made"
    if isinstance(cause, OSError):
        return os.strerror(cause.errno).lower() if cause.errno else "the connection was lost"
    if isinstance(cause, UnacceptableAnswer):
        return str(cause)
    return "its answer is not HTTP, or ends too early"
