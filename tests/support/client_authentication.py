"""How clients prove themselves at a token endpoint, and how the service is told of a client."""

from base64 import b64decode
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from tests.support.loopback_http import Question


@dataclass(frozen=True, kw_only=True)
class PeerClient:
    """A confidential client of a provider."""

    id: str
    secret: str = field(repr=False)

    def variables(self, name: str, **more: str) -> dict[str, str]:
        """Give the service's variables for a provider; ``issuer="…"`` sets OAUTH_<NAME>_ISSUER."""
        given = {"client_id": self.id, "client_secret": self.secret, **more}
        return {f"OAUTH_{name}_{key}".upper(): value for key, value in given.items()}


def presented_client(asked: Question) -> tuple[str, PeerClient]:
    """Give the method and the client that a request presents (RFC 6749 section 2.3.1)."""
    header = asked.headers.get("authorization")
    if header is None:
        given = (asked.form.get("client_id", ""), asked.form.get("client_secret", ""))
        return "client_secret_post", PeerClient(id=given[0], secret=given[1])
    if "client_secret" in asked.form:
        return "more than one", PeerClient(id="", secret="")
    scheme, _, credentials = header.partition(" ")
    assert scheme.lower() == "basic", scheme
    # Each part is form-encoded before the two are joined.
    client_id, _, secret = b64decode(credentials).decode().partition(":")
    client = PeerClient(id=unquote_plus(client_id), secret=unquote_plus(secret))
    return "client_secret_basic", client
