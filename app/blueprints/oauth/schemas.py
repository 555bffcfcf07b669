"""What the routes of outside accounts take and answer."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.blueprints.return_paths import LONGEST_RETURN_PATH
from app.blueprints.schemas import Answer, Body


class AuthorizeQuery(BaseModel):
    """Where to go on after the sign-in: a path of this service."""

    model_config = ConfigDict(extra="ignore")

    return_to: str | None = None


class CallbackQuery(BaseModel):
    """A provider's answer (RFC 6749 section 4.1.2, RFC 9207); what else it sends is left alone."""

    model_config = ConfigDict(extra="ignore")

    state: str = Field(default="", repr=False)
    code: Annotated[str, StringConstraints(max_length=3000)] | None = Field(
        default=None, repr=False
    )
    iss: str | None = None
    error: str | None = None


class BeginReauthentication(Body):
    """Where to go on after a step-up at a provider: a path of this service."""

    return_to: Annotated[str, StringConstraints(max_length=LONGEST_RETURN_PATH)] | None = None


class Location(Answer):
    """Where the browser has to go next."""

    location: str


class ListedProvider(Answer):
    """An identity provider that people may sign in with."""

    name: str
    label: str
    icon: str


class ProviderList(Answer):
    """The providers, in the order in which the operator names them."""

    items: list[ListedProvider]
    next: str | None = None


class LinkedAccount(Answer):
    """An outside account that opens mine; ``name`` and ``email`` are what its provider told."""

    id: str
    provider: str
    label: str
    icon: str
    name: str | None
    email: str | None
    created_at: datetime
    last_used_at: datetime | None


class LinkedAccounts(Answer):
    """My linked accounts."""

    items: list[LinkedAccount]
    next: str | None = None
