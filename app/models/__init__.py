"""The tables, as typed dataclasses. No queries here, and no Flask."""

from app.models.application import Application, HandoverCode
from app.models.base import Base
from app.models.oauth import AuthorizationPurpose, AuthorizationRequest, Identity
from app.models.one_time_values import Invitation, RecoveryCode
from app.models.session import SessionPurpose, UserSession
from app.models.user import Role, User
from app.models.webauthn import Challenge, Credential, Purpose, RemovedCredential

__all__ = [
    "Application",
    "AuthorizationPurpose",
    "AuthorizationRequest",
    "Base",
    "Challenge",
    "Credential",
    "HandoverCode",
    "Identity",
    "Invitation",
    "Purpose",
    "RecoveryCode",
    "RemovedCredential",
    "Role",
    "SessionPurpose",
    "User",
    "UserSession",
]
