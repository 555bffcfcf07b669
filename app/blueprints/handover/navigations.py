"""What the two hosts of a hand-over ask of a browser, and how they lead it on."""

from flask import Response, request

from app.errors import NotAllowed

_SENTENCE = "This address is for people who open it in their browser."


def require_navigation() -> None:
    """Let a browser through that navigates; an image, a frame or a script opens no session.

    Browsers that do not say (Fetch Metadata) are let through: a code is good where it was asked
    for alone. Raises ``NotAllowed``.
    """
    mode = request.headers.get("Sec-Fetch-Mode", "navigate")
    destination = request.headers.get("Sec-Fetch-Dest", "document")
    if (mode, destination) != ("navigate", "document"):
        raise NotAllowed(_SENTENCE, reason="not a navigation")


def see(location: str) -> Response:
    """Lead a browser on."""
    return Response(status=303, headers={"Location": location})
