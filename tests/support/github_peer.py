"""A provider on loopback that speaks as GitHub does, its departures from the standards included.

Errors come with status 200; answers are form-encoded unless JSON is asked for; granted scopes are
joined by commas; ``/user`` gives no address, and ``/user/emails`` all of them, proved or not, to
whoever has the scope. Nobody has to sign in: the browser is sent back at once, as ``account``.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlencode

from tests.support.client_authentication import PeerClient, presented_client
from tests.support.jws import encode, random_text
from tests.support.loopback_http import Answer, Question, answering, as_json, redirect


@dataclass(frozen=True, kw_only=True)
class GitHubEmail:
    """One of the addresses of an account."""

    email: str
    primary: bool = False
    verified: bool = True


@dataclass(frozen=True, kw_only=True)
class GitHubAccount:
    """Somebody at the provider; the id stays theirs, the login may pass to somebody else."""

    id: int
    login: str
    name: str | None = None
    emails: tuple[GitHubEmail, ...] = ()


OCTOCAT = GitHubAccount(
    id=583231,
    login="octocat",
    name="The Octocat",
    emails=(
        GitHubEmail(email="old@example.org", verified=False),
        GitHubEmail(email="octocat@example.org", primary=True),
        GitHubEmail(email="work@example.org"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What was granted: to which request, by whom."""

    account: GitHubAccount
    asked: Question

    @property
    def scopes(self) -> list[str]:
        """The scopes, which may be asked for with commas, too."""
        return self.asked.query.get("scope", "").replace(",", " ").split()


@dataclass(kw_only=True)
class GitHubPeer:
    """The provider; a test changes what it does next."""

    origin: str = ""
    client: PeerClient = field(
        default_factory=lambda: PeerClient(id="Iv1.0123456789abcdef", secret=random_text())
    )
    account: GitHubAccount = OCTOCAT
    """Who is sent back from now on."""
    denies: bool = False
    """Whether the person says no."""
    always_form_encoded: bool = False
    """Whether the token endpoint ignores that JSON was asked for."""
    instead: dict[str, Answer] = field(default_factory=dict)
    """What to answer at a path instead, as in ``peer.instead["/user/emails"] = …``."""
    asked: Counter[str] = field(default_factory=Counter)
    """How often each path was asked."""
    questions: list[Question] = field(default_factory=list)
    _codes: dict[str, Grant] = field(default_factory=dict)
    _tokens: dict[str, Grant] = field(default_factory=dict)

    def variables(self, name: str = "github", **more: str) -> dict[str, str]:
        """Give the service's variables; another name needs ``kind="github"`` among them."""
        endpoints = {
            "authorization_endpoint": f"{self.origin}/login/oauth/authorize",
            "token_endpoint": f"{self.origin}/login/oauth/access_token",
            "userinfo_endpoint": f"{self.origin}/user",
            "emails_endpoint": f"{self.origin}/user/emails",
        }
        return self.client.variables(name, **endpoints, **more)

    def withdraw(self) -> None:
        """End every token, as when people withdraw what they granted."""
        self._tokens.clear()

    def answer(self, question: Question) -> Answer:
        """Answer as the real one documents it."""
        self.asked[question.path] += 1
        self.questions.append(question)
        if question.path in self.instead:
            return self.instead[question.path]
        answers: Mapping[str, Callable[[Question], Answer]] = {
            "/login/oauth/authorize": self._authorize,
            "/login/oauth/access_token": self._access_token,
            "/user": self._user,
            "/user/emails": self._emails,
        }
        return answers.get(question.path, _not_found)(question)

    def _authorize(self, asked: Question) -> Answer:
        state = asked.query.get("state", "")
        if self.denies:
            back = {
                "error": "access_denied",
                "error_description": "The user has denied your application access.",
                "state": state,
            }
        else:
            back = {"code": random_text(), "state": state}
            self._codes[back["code"]] = Grant(account=self.account, asked=asked)
        return redirect(f"{asked.query['redirect_uri']}?{urlencode(back)}", status=302)

    def _access_token(self, asked: Question) -> Answer:
        error, grant = self._redeem(asked)
        if grant is None:
            told = {"error": error, "error_description": "The answer is not in the status."}
        else:
            token = f"gho_{random_text()}"
            self._tokens[token] = grant
            scope = ",".join(grant.scopes)
            told = {"access_token": token, "scope": scope, "token_type": "bearer"}
        wants_json = "application/json" in asked.headers.get("accept", "")
        if wants_json and not self.always_form_encoded:
            return as_json(told)
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        return Answer(headers=headers, body=urlencode(told).encode())

    def _redeem(self, asked: Question) -> tuple[str, Grant | None]:
        if presented_client(asked)[1] != self.client:
            return "incorrect_client_credentials", None
        grant = self._codes.pop(asked.form.get("code", ""), None)
        if grant is None or not _proves(asked, grant.asked.query.get("code_challenge")):
            return "bad_verification_code", None
        if (
            asked.form.get("redirect_uri", grant.asked.query["redirect_uri"])
            != (grant.asked.query["redirect_uri"])
        ):
            return "redirect_uri_mismatch", None
        return "", grant

    def _user(self, asked: Question) -> Answer:
        grant = self._granted(asked)
        if grant is None:
            return as_json({"message": "Bad credentials", "status": "401"}, status=401)
        one = grant.account
        return as_json({"login": one.login, "id": one.id, "name": one.name, "email": None})

    def _emails(self, asked: Question) -> Answer:
        grant = self._granted(asked)
        if grant is None:
            return as_json({"message": "Bad credentials", "status": "401"}, status=401)
        if not {"user", "user:email"} & set(grant.scopes):
            return _not_found(asked)
        return as_json([{**vars(one), "visibility": None} for one in grant.account.emails])

    def _granted(self, asked: Question) -> Grant | None:
        return self._tokens.get(asked.headers.get("authorization", "").partition(" ")[2])


@contextmanager
def github_peer() -> Iterator[GitHubPeer]:
    """Run the provider on a free loopback port until the block ends."""
    peer = GitHubPeer()
    with answering(peer.answer) as peer.origin:
        yield peer


def settings_for_github(peer: GitHubPeer) -> dict[str, str]:
    """Give the OAUTH_GITHUB_… variables."""
    return peer.variables()


def _proves(asked: Question, challenge: str | None) -> bool:
    if challenge is None:
        return True
    verifier = asked.form.get("code_verifier", "")
    digest = sha256(verifier.encode()).digest()
    return encode(digest) == challenge


def _not_found(_: Question) -> Answer:
    return as_json({"message": "Not Found", "status": "404"}, status=404)
