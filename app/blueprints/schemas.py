"""Schemas that several blueprints answer with or take."""

import unicodedata
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from app.identifiers import ID_PATTERN
from app.services.sessions import ActiveSession

LONGEST_NAME = 100
DEFAULT_PAGE, LARGEST_PAGE = 50, 100


def _one_line(text: str) -> str:
    normal = unicodedata.normalize("NFC", text)
    if len(normal) > LONGEST_NAME:
        message = f"Should have at most {LONGEST_NAME} characters"
        raise ValueError(message)
    if any(unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} for character in normal):
        message = "Should hold no control or invisible characters"
        raise ValueError(message)
    return normal


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME),
    AfterValidator(_one_line),
]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Id = Annotated[str, StringConstraints(pattern=f"^{ID_PATTERN}$")]


class Body(BaseModel):
    """What an operation takes: the named members and no others."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """What an operation answers."""

    model_config = ConfigDict(from_attributes=True)


class Nothing(Body):
    """An empty object."""


class PageQuery(Body):
    """Which page of a list: at most ``limit`` items past the one whose id is ``after``."""

    limit: int = Field(default=DEFAULT_PAGE, ge=1, le=LARGEST_PAGE)
    after: Id | None = None


class FinishedCeremony(Body):
    """The result of a ceremony, as ``PublicKeyCredential.toJSON()`` gives it."""

    credential: dict[str, Any] = Field(
        description="RegistrationResponseJSON or AuthenticationResponseJSON of WebAuthn Level 3"
    )


class FinishedRegistration(FinishedCeremony):
    """The result of a registration ceremony, and how its owner calls the passkey."""

    credential_name: Name | None = None


class Options(Answer):
    """Options of a ceremony, as the W3C's JSON dictionaries have them."""

    model_config = ConfigDict(extra="allow")

    challenge: str


class SignalCall(Answer):
    """A call of the WebAuthn Signal API for the page to make, so that password managers follow."""

    method: Literal[
        "signalUnknownCredential", "signalAllAcceptedCredentials", "signalCurrentUserDetails"
    ]
    options: dict[str, Any]


class PersonAnswer(Answer):
    """A person."""

    id: str
    email: str | None
    email_verified: bool
    name: str
    role: Literal["user", "admin"]
    locale: str | None
    created_at: datetime


class SessionAnswer(Answer):
    """A session."""

    id: str
    created_at: datetime
    authenticated_at: datetime
    authenticated_with: str
    expires_at: datetime
    idle_expires_at: datetime


class SignedInAnswer(Answer):
    """Who is signed in, and by which session."""

    user: PersonAnswer
    session: SessionAnswer

    @classmethod
    def of(cls, active: ActiveSession) -> Self:
        """Tell of an active session."""
        return cls(
            user=PersonAnswer.model_validate(active.person),
            session=SessionAnswer.model_validate(active),
        )


class ChangedPerson(Answer):
    """A person after a change, and what password managers should be told of it."""

    user: PersonAnswer
    signals: list[SignalCall] = []


class FieldFault(Answer):
    """What is wrong with one field of a body."""

    field: str
    message: str


class Problem(Answer):
    """A refusal (RFC 9457). ``code`` is stable; ``detail`` is a sentence fit to show anybody."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldFault] | None = None
    signal: SignalCall | None = None


def cursor(items: list[Any], limit: int) -> tuple[list[Any], str | None]:
    """Cut a list that was fetched one longer than its page; give the items and the next cursor."""
    if len(items) <= limit:
        return items, None
    return items[:limit], items[limit - 1].id
