"""Identity providers within the test's process: a small HTTP server, and what is told through it.

They are as honest as the test lets them: each answer can be replaced, down to the bytes.
"""

import base64
import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from app import clock
from app.config.oauth import ProviderKind, ProviderSettings
from app.identity_providers import IdentityProvider, Limits, RedeemedCode

CLIENT_ID, CLIENT_SECRET = "the-client", "the secret"
NONCE, VERIFIER, CODE = "n-0S6_WzA2Mj", "v" * 43, "SplxlOBeZQQYbYS6WxSbIA"
ACCESS_TOKEN = "access-token"  # noqa: S105 - a made-up one
REDIRECT_URI = "https://accounts.example.org/api/oauth/example/callback"
HASTY = Limits(read_seconds=0.3, call_seconds=0.4, operation_seconds=0.6, wait_seconds=0.2)
"""For answers that take for ever."""

json_type = {"Content-Type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole response."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: dict(json_type))


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: str

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body).items()}


Write = Callable[[bytes], object]
Raw = Callable[[Write], None]
"""Writes whatever it likes to the connection."""


def as_json(document: object, status: int = 200) -> Answer:
    return Answer(body=json.dumps(document).encode(), status=status)


class Loopback:
    """A server on this machine that answers by path and remembers what it was asked."""

    def __init__(self, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, Answer | Raw] = {}
        self.requests: list[Request] = []
        self.connections = 0
        self.server = ThreadingHTTPServer((address, 0), self._handler())
        if tls is not None:
            self.server.socket = tls.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self.server.server_address[1]
        self.url = f"{'http' if tls is None else 'https'}://localhost:{self.port}"

    def count(self, path: str) -> int:
        return sum(request.path == path for request in self.requests)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            def handle(self) -> None:
                loopback.connections += 1
                with contextlib.suppress(OSError):
                    super().handle()

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                loopback.requests.append(
                    Request(method=self.command, path=self.path, headers=headers, body=body)
                )
                answer = loopback.answers.get(self.path, Answer(body=b"", status=404))
                if isinstance(answer, Answer):
                    self.send_response(answer.status)
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer.body)
                else:
                    answer(self.wfile.write)

            do_POST = do_GET  # noqa: N815 - the server asks for that name

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


@contextlib.contextmanager
def listening(loopback: Loopback) -> Iterator[Loopback]:
    loopback.server.daemon_threads = True
    loopback.server.block_on_close = False
    thread = threading.Thread(target=loopback.server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    try:
        yield loopback
    finally:
        loopback.server.shutdown()
        loopback.server.server_close()
        thread.join()


def provider_settings(issuer: str, **changes: Any) -> ProviderSettings:  # noqa: ANN401
    settings = ProviderSettings(
        name="example",
        kind=ProviderKind.OPENID,
        label="Example",
        icon="openid",
        issuer=issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        scopes=("openid", "profile", "email"),
        allow_loopback=True,
    )
    return replace(settings, **changes)


@cache
def signing_key(algorithm: str, number: int = 0) -> Key:
    del number
    if algorithm == "ES256":
        return ECKey.generate_key("P-256")
    if algorithm == "EdDSA":
        return OKPKey.generate_key("Ed25519")
    return RSAKey.generate_key(2048)


def public(key: Key, **members: object) -> dict[str, object]:
    return {**key.as_dict(private=False), **members}


def base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def sign(
    claims: object,
    *,
    key: Key | None = None,
    algorithm: str = "ES256",
    kid: object = "one",
    **header: object,
) -> str:
    """Sign as the algorithm's name says, whatever else the header claims."""
    signed_by = key or signing_key(algorithm)
    members = {"alg": algorithm, "kid": kid, **header}
    members = {name: value for name, value in members.items() if value is not None}
    signed = ".".join(base64url(json.dumps(part).encode()) for part in (members, claims))
    model = jws.JWSRegistry.algorithms[algorithm]
    return f"{signed}.{base64url(model.sign(signed.encode(), signed_by))}"


class Stopwatch:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class HonestProvider:
    """An OpenID provider whose answers can be bent."""

    def __init__(self, loopback: Loopback) -> None:
        self.loopback = loopback
        self.issuer = loopback.url
        self.metadata: dict[str, object] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
        }
        self.keys: list[dict[str, object]] = [public(signing_key("ES256"), kid="one")]
        self.answer: dict[str, object] = {
            "access_token": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": 3600,
            "refresh_token": "refresh-token",
            "id_token": sign(self.claims()),
        }
        self.userinfo: dict[str, object] = {"sub": "subject"}
        self.publish()

    def claims(self, **changes: object) -> dict[str, object]:
        """Make honest claims; those that are changed to `...` are left out."""
        now = int(clock.now().timestamp())
        claims = {
            "iss": self.issuer,
            "sub": "subject",
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "nonce": NONCE,
            "email": "kim@example.org",
            "email_verified": True,
            "name": "Kim",
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not ...}

    def publish(self) -> None:
        """Serve what the members say now."""
        self.loopback.answers.update(
            {
                "/.well-known/openid-configuration": as_json(self.metadata),
                "/jwks": as_json({"keys": self.keys}),
                "/token": as_json(self.answer),
                "/userinfo": as_json(self.userinfo),
            }
        )

    def issue(self, id_token: object) -> None:
        """Answer with this ID token from now on."""
        self.answer["id_token"] = id_token
        self.publish()


def redeem(provider: IdentityProvider, nonce: str | None = NONCE) -> RedeemedCode:
    return provider.redeem(
        code=CODE, nonce=nonce, code_verifier=VERIFIER, redirect_uri=REDIRECT_URI
    )


def signs_in(provider: IdentityProvider, nonce: str | None = NONCE) -> bool:
    return bool(redeem(provider, nonce).identity.subject)


def self_signed(directory: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a server's context, and the file of its certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    path, key_path = directory / "certificate.pem", directory / "key.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)
    return context, path
