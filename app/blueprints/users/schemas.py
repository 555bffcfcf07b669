"""What the routes about people take."""

from typing import Annotated

from pydantic import StringConstraints

from app.blueprints.schemas import Body, Name

# A language and perhaps a script and a region (RFC 5646 section 2.1), as "de" or "pt-BR".
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$")]


class ChangeProfile(Body):
    """What to change about me; a name of ``null`` stays, a locale of ``null`` is forgotten."""

    name: Name | None = None
    locale: Locale | None = None
