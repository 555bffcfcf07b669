"""An OpenID provider on loopback that is honest until it is told to lie.

Nobody has to sign in or consent: its authorization endpoint sends the browser back at once, as
``person``. A test drives it with plain requests::

    with hostile_provider() as provider:
        ...the service started with provider.variables("hostile")...
        provider.lie = LIE
        callback = sent_back(location_that_the_service_gave)
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlencode

from tests.support.client_authentication import PeerClient, presented_client
from tests.support.jws import encode, half_hash, random_text
from tests.support.lie import HONEST, Lie, Teller, Told
from tests.support.loopback_http import Answer, Question, answering, as_json, redirect

SCOPES = {"email": ("email", "email_verified"), "profile": ("name", "preferred_username")}


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What an authorization request asked for, and who answered it."""

    person: Told
    asked: Question
    authenticated_at: int


@dataclass(kw_only=True)
class HostileProvider(Teller):
    """The provider. What was asked of it, and what it gave out, can be read afterwards."""

    lie: Lie = HONEST
    person: Told = field(
        default_factory=lambda: {
            "sub": "248289761001",
            "name": "Jane Doe",
            "preferred_username": "jane",
            "email": "jane@example.org",
            "email_verified": True,
        }
    )
    """Who consents from now on; requests that were answered already keep theirs."""
    expires_in: int = 3600
    asked: Counter[str] = field(default_factory=Counter)
    """How often each path was asked, as in ``provider.asked["/jwks"]``."""
    questions: list[Question] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    """The tokens that clients have revoked."""
    _codes: dict[str, Grant] = field(default_factory=dict)
    _access_tokens: dict[str, Grant] = field(default_factory=dict)
    _refresh_tokens: dict[str, Grant] = field(default_factory=dict)

    def variables(self, name: str = "hostile", **more: str) -> dict[str, str]:
        """Give the service's variables for this provider under a name; ``label="…"`` adds one."""
        client = PeerClient(id=self.client_id, secret=self.client_secret)
        return client.variables(name, issuer=self.issuer, **more)

    def answer(self, question: Question) -> Answer:
        """Answer as the paths of ``metadata`` have it."""
        self.asked[question.path] += 1
        self.questions.append(question)
        answers = {
            "/.well-known/openid-configuration": self._metadata,
            "/authorize": self._authorize,
            "/token": self._token,
            "/userinfo": self._userinfo,
            "/jwks": self._keys,
            "/revoke": self._revoke,
        }
        if question.path in answers:
            return answers[question.path](question)
        elsewhere = self.lie.elsewhere.get(question.path)
        return elsewhere() if elsewhere else as_json({}, status=404)

    def _metadata(self, _: Question) -> Answer:
        return self._bent("metadata", self.metadata())

    def _keys(self, _: Question) -> Answer:
        return self._bent("keys", {"keys": [self.key.public_jwk()]})

    def _authorize(self, asked: Question) -> Answer:
        code = random_text()
        self._codes[code] = Grant(
            person=dict(self.person), asked=asked, authenticated_at=int(time.time())
        )
        honest = {"code": code, "state": asked.query["state"], "iss": self.issuer}
        parameters = self.lie.authorization(self, dict(honest))
        return redirect(f"{asked.query['redirect_uri']}?{urlencode(parameters)}")

    def _token(self, asked: Question) -> Answer:
        if not self._knows(asked):
            return as_json({"error": "invalid_client"}, status=401)
        redeems = asked.form["grant_type"] == "authorization_code"
        granted = self._redeem(asked) if redeems else self._refresh(asked)
        if granted is None:
            return as_json({"error": "invalid_grant"}, status=400)
        return self._bent("tokens", self._tokens(granted))

    def _redeem(self, asked: Question) -> Grant | None:
        grant = self._codes.pop(asked.form["code"], None)
        challenge = encode(sha256(asked.form["code_verifier"].encode()).digest())
        if grant is None or challenge != grant.asked.query["code_challenge"]:
            return None
        return grant if asked.form["redirect_uri"] == grant.asked.query["redirect_uri"] else None

    def _refresh(self, asked: Question) -> Grant | None:
        return self._refresh_tokens.pop(asked.form["refresh_token"], None)

    def _tokens(self, grant: Grant) -> Told:
        access_token, refresh_token = random_text(), random_text()
        self._access_tokens[access_token] = self._refresh_tokens[refresh_token] = grant
        claims = self.lie.claims(self, self._claims(grant, access_token))
        id_token = self.lie.id_token(self, claims)
        if self.lie is HONEST:
            self.issued.append(str(id_token))
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": self.expires_in,
            "refresh_token": refresh_token,
            "id_token": id_token,
        }

    def _claims(self, grant: Grant, access_token: str) -> Told:
        now = int(time.time())
        return {
            "iss": self.issuer,
            "sub": grant.person["sub"],
            "aud": self.client_id,
            "iat": now,
            "exp": now + 600,
            "auth_time": grant.authenticated_at,
            "nonce": grant.asked.query.get("nonce"),
            "at_hash": half_hash(access_token, self.lie.algorithm),
        }

    def _userinfo(self, asked: Question) -> Answer:
        grant = self._access_tokens.get(
            asked.headers.get("authorization", "").removeprefix("Bearer ")
        )
        if grant is None:
            return as_json({"error": "invalid_token"}, status=401)
        scopes = grant.asked.query.get("scope", "").split()
        names = {"sub"}.union(*(SCOPES.get(scope, ()) for scope in scopes))
        told = {name: value for name, value in grant.person.items() if name in names}
        return self._bent("userinfo", told)

    def _revoke(self, asked: Question) -> Answer:
        token = asked.form["token"]
        self.revoked.append(token)
        self._access_tokens.pop(token, None)
        self._refresh_tokens.pop(token, None)
        return Answer()

    def _bent(self, hook: str, told: Told) -> Answer:
        bent = getattr(self.lie, hook)(self, told)
        return bent if isinstance(bent, Answer) else as_json(bent)

    def _knows(self, asked: Question) -> bool:
        method, client = presented_client(asked)
        metadata = self.lie.metadata(self, self.metadata())
        methods = metadata if isinstance(metadata, dict) else self.metadata()
        return (client.id, client.secret) == (self.client_id, self.client_secret) and (
            method in str(methods["token_endpoint_auth_methods_supported"])
        )


@contextmanager
def hostile_provider(**options: object) -> Iterator[HostileProvider]:
    """Run a provider on a free loopback port; two may run at once, with clients of their own."""
    provider = HostileProvider(**options)  # type: ignore[arg-type]
    with answering(provider.answer) as provider.issuer:
        yield provider
