"""A certified OpenID provider (oidc-provider, in Node) on loopback.

Every login name has an account: ``ada`` with a proved address, ``unproved-…`` with one that is
not, ``noaddress-…`` without. A person walks through two pages with a form each (`drive`, or a real
browser)::

    with oidc_peer(folder / "provider.log") as peer:
        ...the service started with peer.variables("example"), and...
        peer.allow_redirect_uris(f"{server.origin}/api/oauth/example/callback")
        callback = drive(requests.Session(), location, login="ada")
"""

import json
import select
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests

from tests.support.client_authentication import PeerClient
from tests.support.jws import random_text
from tests.support.node import PEERS, require_peers
from tests.support.provider_visits import PATIENCE_SECONDS

START_SECONDS = 20
STOP_SECONDS = 5
_MOST_STEPS = 20


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """A token that a client has revoked (RFC 7009); kind and login are None for an unknown one."""

    token: str = field(repr=False)
    client: str
    kind: str | None
    """``AccessToken`` or ``RefreshToken``."""
    login: str | None


@dataclass(kw_only=True)
class OidcPeer:
    """The provider while it runs; its orders are safe to give from any thread."""

    issuer: str
    clients: tuple[PeerClient, PeerClient]
    process: subprocess.Popen[bytes]
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def variables(self, name: str = "example", *, client: int = 0, **more: str) -> dict[str, str]:
        """Give the service's variables for this provider under a name, as one of two clients."""
        return self.clients[client].variables(name, issuer=self.issuer, **more)

    def allow_redirect_uris(self, *uris: str) -> None:
        """Register more redirect URIs for both clients."""
        self._order("allow_redirect_uris", uris=uris)

    def arrange(self, login: str, **claims: object) -> None:
        """Say from now on what an account's claims are; None leaves one out."""
        self._order("arrange", login=login, claims=claims)

    def rotate_keys(self, *, keep_old: bool = True) -> None:
        """Sign with new keys from now on, the old ones published for a while or gone at once."""
        self._order("rotate_keys", keep_old=keep_old)

    def withdraw(self, login: str) -> int:
        """End everything that a person has granted, and say how much that was."""
        withdrawn: int = self._order("withdraw", login=login)
        return withdrawn

    def revocations(self) -> list[Revocation]:
        """List the tokens that clients have revoked, oldest first."""
        return [Revocation(**one) for one in self._order("revocations")]

    def ended_grants(self) -> list[str]:
        """List the grants that ended by a revocation or by a code or token that came twice."""
        ended: list[str] = self._order("ended_grants")
        return ended

    def asked(self, route: str) -> int:
        """Say how often a route was asked, such as ``token``, ``jwks`` or ``discovery``."""
        count: int = self._order("asked").get(route, 0)
        return count

    def _order(self, order: str, **details: object) -> Any:  # noqa: ANN401 - JSON of any kind
        assert self.process.stdin is not None
        with self._lock:
            line = json.dumps({"order": order, **details})
            self.process.stdin.write(f"{line}\n".encode())
            self.process.stdin.flush()
            return _answer_of(self.process, PATIENCE_SECONDS)


@contextmanager
def oidc_peer(
    log_file: Path,
    *,
    redirect_uris: Sequence[str] = (),
    access_token_seconds: int = 3600,
    algorithm: str = "RS256",
) -> Iterator[OidcPeer]:
    """Run the provider on a free loopback port until the block ends.

    Without Node the test fails under CI, and is left out elsewhere.

    Raises:
        RuntimeError: it did not start in time; its log says more.
    """
    clients = tuple(PeerClient(id=f"client-{at}", secret=random_text()) for at in (1, 2))
    settings = {
        "clients": [vars(client) for client in clients],
        "redirectUris": redirect_uris or ["http://localhost/never-used"],
        "accessTokenSeconds": access_token_seconds,
        "algorithm": algorithm,
    }
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [require_peers(), "server.mjs"],
            cwd=PEERS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            bufsize=0,
        )
    with process, _stopped_at_the_end(process):
        assert process.stdin is not None
        process.stdin.write(f"{json.dumps(settings)}\n".encode())
        started = _answer_of(process, START_SECONDS)
        yield OidcPeer(issuer=started["issuer"], clients=(clients[0], clients[1]), process=process)


def drive(
    client: requests.Session, location: str, *, login: str = "ada", consents: bool = True
) -> str:
    """Walk from an authorization request through login and consent; give the callback URL.

    The session keeps the person signed in at the provider, as a browser does. Pages that do not
    come up, as for somebody who is signed in and has consented before, are not waited for.
    """
    here = location
    answer = client.get(here, allow_redirects=False, timeout=PATIENCE_SECONDS)
    for _ in range(_MOST_STEPS):
        if answer.is_redirect:
            there = urljoin(here, answer.headers["Location"])
            if there.split("/")[:3] != location.split("/")[:3]:
                return there
            here = there
            answer = client.get(here, allow_redirects=False, timeout=PATIENCE_SECONDS)
        else:
            form = _filled(answer, login, consents=consents)
            answer = client.post(here, form, allow_redirects=False, timeout=PATIENCE_SECONDS)
    raise AssertionError(f"the provider's pages lead nowhere: {here}")


def _filled(answer: requests.Response, login: str, *, consents: bool) -> dict[str, str]:
    assert answer.ok, f"{answer.status_code}: {answer.text}"
    if 'name="login"' in answer.text:
        return {"login": login}
    assert 'name="consent"' in answer.text, answer.text
    return {"consent": "allow" if consents else "deny"}


def _answer_of(process: subprocess.Popen[bytes], seconds: float) -> Any:  # noqa: ANN401 - as above
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], seconds)
    line = process.stdout.readline() if readable else b""
    if not line:
        raise RuntimeError("the provider does not answer; its log says more")
    return json.loads(line)


@contextmanager
def _stopped_at_the_end(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
