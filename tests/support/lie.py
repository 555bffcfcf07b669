"""What a lie of an identity provider is: where it bends the truth, and what must come of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.support.jws import SigningKey, signing_key
from tests.support.loopback_http import Answer

Told = dict[str, object]
"""A JSON object that a provider is about to answer with, or the parameters of a redirect."""


@dataclass(kw_only=True)
class Teller:
    """What a lie may know of the provider that tells it."""

    issuer: str = ""
    client_id: str = "hostile-client"
    client_secret: str = field(default="the-secret-of-a-client-at-a-hostile-provider", repr=False)
    key: SigningKey = field(default_factory=lambda: signing_key("RS256"))
    """What honest ID tokens are signed with."""
    issued: list[str] = field(default_factory=list)
    """The ID tokens of honest answers so far."""

    def metadata(self) -> Told:
        """Give the honest metadata (OpenID Connect Discovery section 3)."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "revocation_endpoint": f"{self.issuer}/revoke",
            "scopes_supported": ["openid", "email", "profile", "offline_access"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }


Bend = Callable[[Teller, Told], Told]
Reply = Callable[[Teller, Told], Told | Answer]
"""A bend that may answer with something else than a JSON object."""


def honestly(_: Teller, told: Told) -> Told:
    """Say what an honest provider would."""
    return told


def _signed(teller: Teller, claims: Told) -> object:
    return teller.key.sign(claims)


@dataclass(frozen=True, kw_only=True)
class Lie:
    """One way in which a provider departs from the truth; each hook is honest unless set.

    The hooks get what an honest provider would say, a copy that they may change, and give what
    this one says.
    """

    name: str
    covers: tuple[str, ...]
    """Modules of the certification plan, and rows of the list of known vulnerabilities."""
    expected: str | None = "identity_rejected"
    """The code of the refusal, at the callback at the latest; None where it must be accepted."""
    proves_address: bool = True
    """Whether the account's address is a proved one in the end, where the lie is accepted."""
    is_slow: bool = False
    """Whether it is only done with when the service's patience is."""
    metadata: Reply = honestly
    authorization: Bend = honestly
    """The parameters that the browser is sent back with."""
    algorithm: str = "RS256"
    """Of its ID tokens; ``at_hash`` goes by it."""
    tokens: Reply = honestly
    """The answer of the token endpoint."""
    claims: Bend = honestly
    """What the ID token says."""
    id_token: Callable[[Teller, Told], object] = _signed
    """The ID token, of its claims."""
    userinfo: Reply = honestly
    keys: Reply = honestly
    """The JWK set."""
    elsewhere: Mapping[str, Callable[[], Answer]] = field(default_factory=dict)
    """What it answers at further paths; an honest provider has nothing there."""

    @property
    def accepts(self) -> bool:
        """Whether the sign-in must go through all the same."""
        return self.expected is None

    def __str__(self) -> str:
        return self.name


def says(named: Mapping[str, object] | None = None, /, **members: object) -> Bend:
    """Say something else in some members; what is None is left out."""
    instead = {**(named or {}), **members}

    def bend(_: Teller, told: Told) -> Told:
        return {name: value for name, value in {**told, **instead}.items() if value is not None}

    return bend


def answers(answer: Callable[[], Answer]) -> Reply:
    """Answer with something else altogether, made anew each time."""
    return lambda _teller, _told: answer()


HONEST = Lie(
    name="honest", covers=("client-test", "sig-rs256", "scope-userinfo-claims"), expected=None
)
"""The truth: the control beside every refusal."""
