"""Challenges: made for one ceremony in one browser, consumed once.

The one sanctioned exception to one commit per request: a challenge is consumed in a unit of work
of its own, before anything is verified. Consumed together with the rest, a refusal would roll
the consumption back and the same challenge would work again.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app import clock
from app.errors import ChallengeUnusable
from app.models import Challenge, Purpose
from app.services.sweeping import sweep_expired
from app.services.tokens import hash_secret

_CHALLENGE_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class ConsumedChallenge:
    """A challenge that was ours, in time, and is gone now."""

    challenge: bytes
    user_id: str | None
    payload: Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True)
class Binding:
    """What a challenge is bound to: the browser, and the session where there is one."""

    browser_hash: bytes
    user_id: str | None = None
    session_id: str | None = None


def issue_challenge(
    session: Session,
    *,
    purpose: Purpose,
    binding: Binding,
    ttl: timedelta,
    payload: Mapping[str, str | None] | None = None,
) -> bytes:
    """Store a new challenge and give its 32 bytes; sweeps a few expired ones away."""
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    session.add(
        Challenge(
            hash=hash_secret(challenge),
            purpose=purpose,
            user_id=binding.user_id,
            session_id=binding.session_id,
            browser_hash=binding.browser_hash,
            payload=dict(payload or {}),
            expires_at=clock.now() + ttl,
        )
    )
    sweep_expired(session, key=Challenge.hash, expires_at=Challenge.expires_at)
    return challenge


def consume_challenge(
    session: Session, *, challenge: bytes | None, purpose: Purpose, binding: Binding
) -> ConsumedChallenge:
    """Take the challenge away, in one statement that names all it must be good for.

    Raises ``ChallengeUnusable``, whatever the cause.
    """
    if challenge is None:
        raise ChallengeUnusable(reason="no readable challenge")
    consumed = session.execute(
        delete(Challenge)
        .where(
            Challenge.hash == hash_secret(challenge),
            Challenge.purpose == purpose,
            Challenge.browser_hash == binding.browser_hash,
            Challenge.session_id.is_not_distinct_from(binding.session_id),
            Challenge.expires_at > clock.now(),
        )
        .returning(Challenge.user_id, Challenge.payload)
    ).one_or_none()
    if consumed is None:
        raise ChallengeUnusable(reason="unknown, used, expired or bound to something else")
    user_id, payload = consumed
    return ConsumedChallenge(challenge=challenge, user_id=user_id, payload=payload)
