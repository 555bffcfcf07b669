"""What a hand-over is asked for with."""

from typing import Annotated

from pydantic import Field, StringConstraints

from app.blueprints.schemas import Body
from app.services.application_details import ID


class HandoverQuery(Body):
    """Where a person is on the way to, as the application's own host has written it."""

    app: Annotated[str, StringConstraints(pattern=f"^{ID.pattern}$")]
    origin: str = Field(max_length=300)
    browser: Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_-]{43}$")]
    """The base64url SHA-256 of the cookie that the application's host gave to the browser."""
    return_to: str = Field(default="/", max_length=2000)
