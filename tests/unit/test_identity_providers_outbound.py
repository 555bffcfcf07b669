"""What a provider may answer, how long it may take, and to whom a connection may be made."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.errors import ProviderUnavailable
from app.identity_providers import IdentityProvider, Limits
from tests.support.providers_on_loopback import (
    HASTY,
    Answer,
    HonestProvider,
    Loopback,
    Raw,
    Write,
    as_json,
    listening,
    provider_settings,
    redeem,
    self_signed,
    sign,
    signs_in,
)

METADATA = "/.well-known/openid-configuration"
PATHS = [METADATA, "/token", "/jwks", "/userinfo"]


def reason(
    honest: HonestProvider, path: str, answer: Answer | Raw, limits: Limits | None = None
) -> str:
    """Tell why a sign-in fails with this answer, and see it succeed with the honest one."""
    needs_userinfo(honest)
    settings = provider_settings(honest.issuer)
    assert redeem(IdentityProvider(settings)).identity.email == "kim@example.org"
    honest.loopback.answers[path] = answer
    began = time.monotonic()
    with pytest.raises(ProviderUnavailable) as caught:
        redeem(IdentityProvider(settings, limits=limits))
    assert time.monotonic() - began < (limits or Limits()).operation_seconds + 0.5
    return str(caught.value.reason)


def needs_userinfo(honest: HonestProvider) -> None:
    honest.userinfo = {"sub": "subject", "email": "kim@example.org"}
    honest.issue(sign(honest.claims(email=..., email_verified=...)))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_redirect_is_not_followed(honest: HonestProvider, path: str, status: int) -> None:
    """A16."""
    elsewhere = f"{honest.issuer}/elsewhere"
    honest.loopback.answers["/elsewhere"] = honest.loopback.answers[path]

    answer = Answer(body=b"", status=status, headers={"Location": elsewhere})

    assert "redirects" in reason(honest, path, answer)
    assert honest.loopback.count("/elsewhere") == 0


def huge(write: Write) -> None:
    write(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
    for _ in range(100):
        write(b" " * 2**20)


def endless(write: Write) -> None:
    write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        write(b" " * 2**16)


def endless_chunks(write: Write) -> None:
    write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        write(b"1000\r\n" + b" " * 4096 + b"\r\n")


def endless_headers(write: Write) -> None:
    write(b"HTTP/1.1 200 OK\r\n")
    while True:
        write(b"X: " + b"y" * 1000 + b"\r\n")


def endless_continues(write: Write) -> None:
    while True:
        write(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.01)


def dribbling_body(write: Write) -> None:
    write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{")
    while True:
        write(b" ")
        time.sleep(0.05)


def dribbling_blanks(write: Write) -> None:
    while True:
        write(b" ")
        time.sleep(0.05)


def dribbling_headers(write: Write) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10_000:
        write(bytes([byte]))
        time.sleep(0.05)


def silent(_write: Write) -> None:
    time.sleep(2)


def half(write: Write) -> None:
    write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")


def not_http(write: Write) -> None:
    write(b"SSH-2.0-OpenSSH_9.2\r\n")


def switching(write: Write) -> None:
    write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")


HOSTILE: dict[str, Answer | Raw] = {
    "html": Answer(body=b"<html>Sorry</html>", headers={"Content-Type": "text/html"}),
    "empty": Answer(body=b""),
    "error": Answer(body=b"{}", status=500),
    "gzip": Answer(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
    "one byte too long": Answer(body=b"{" + b" " * (2**20 - 1) + b"}"),
    **{
        each.__name__: each
        for each in (
            *(huge, endless, endless_chunks, endless_headers, endless_continues),
            *(dribbling_body, dribbling_blanks, dribbling_headers),
            *(silent, half, not_http, switching),
        )
    },
}


@pytest.mark.parametrize("path", [METADATA, "/token"])
@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE)
def test_answer_that_cannot_be_used_ends_in_time(
    honest: HonestProvider, path: str, answer: Answer | Raw
) -> None:
    """A16."""
    assert reason(honest, path, answer, HASTY)


def honest_body(honest: HonestProvider) -> bytes:
    answer = honest.loopback.answers[METADATA]
    assert isinstance(answer, Answer)
    return answer.body


def test_answer_of_just_the_greatest_length_is_taken(honest: HonestProvider) -> None:
    body = honest_body(honest)
    honest.loopback.answers[METADATA] = Answer(body=body.ljust(2**20))

    assert signs_in(IdentityProvider(provider_settings(honest.issuer)))
    too_long = reason(honest, METADATA, Answer(body=body.ljust(2**20 + 1)))
    assert "longer than 1048576 bytes" in too_long


def test_encoded_answer_is_refused_unread(honest: HonestProvider) -> None:
    body = honest_body(honest)

    encoded = reason(honest, METADATA, Answer(body=body, headers={"Content-Encoding": "gzip"}))

    assert "encoded" in encoded
    honest.loopback.answers[METADATA] = Answer(body=body, headers={"Content-Encoding": "Identity"})
    assert signs_in(IdentityProvider(provider_settings(honest.issuer)))


def test_answer_that_was_cut_is_not_taken_for_a_whole_one(honest: HonestProvider) -> None:
    body = honest_body(honest)

    def dribble(write: Write) -> None:
        write(b"HTTP/1.1 200 OK\r\n\r\n" + body)
        dribbling_blanks(write)

    assert "in time" in reason(honest, METADATA, dribble, HASTY)


def test_all_calls_of_a_redemption_share_their_time(honest: HonestProvider) -> None:
    """A16: ten seconds for all, not for each; here 0.8."""
    needs_userinfo(honest)
    for path in PATHS:
        honest.loopback.answers[path] = slowly(honest.loopback.answers[path])
    limits = Limits(read_seconds=0.4, call_seconds=0.5, operation_seconds=0.8)
    provider = IdentityProvider(provider_settings(honest.issuer), limits=limits)
    began = time.monotonic()

    with pytest.raises(ProviderUnavailable):
        redeem(provider)
    assert time.monotonic() - began < 1.1
    assert honest.loopback.count(METADATA) == 1
    assert signs_in(IdentityProvider(provider_settings(honest.issuer)))


def slowly(answer: Answer | Raw, seconds: float = 0.25) -> Raw:
    assert isinstance(answer, Answer)

    def write_late(write: Write) -> None:
        time.sleep(seconds)
        write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + answer.body)

    return write_late


def test_name_server_that_does_not_answer_is_not_waited_for(
    honest: HonestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    awake = threading.Event()

    def resolve(*_: object, **__: object) -> None:
        awake.wait(5)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    provider = IdentityProvider(provider_settings(honest.issuer), limits=HASTY)
    began = time.monotonic()

    with pytest.raises(ProviderUnavailable) as caught:
        provider.require_issuer(None)
    awake.set()
    assert "not resolved in time" in str(caught.value.reason)
    assert time.monotonic() - began < 1


def test_address_that_swallows_packets_leaves_time_for_the_others(
    honest: HonestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of a provider with IPv6 do, in a network that has none."""
    resolve, connect, tried = socket.getaddrinfo, socket.socket.connect, []

    def swallow(connection: socket.socket, address: tuple[str, int]) -> None:
        tried.append(address[0])
        if address[0] == "127.0.0.1":
            return connect(connection, address)
        time.sleep(connection.gettimeout() or 60)
        raise TimeoutError

    def resolve_more(host: str, port: int, **options: int) -> list[object]:
        swallowed = [resolve(address, port, **options)[0] for address in ("127.0.0.8", "127.0.0.9")]
        return [*swallowed, *resolve("127.0.0.1", port, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve_more)
    monkeypatch.setattr(socket.socket, "connect", swallow)
    limits = Limits(read_seconds=0.9, call_seconds=0.9)

    IdentityProvider(provider_settings(honest.issuer), limits=limits).require_issuer(None)
    assert tried == ["127.0.0.8", "127.0.0.9", "127.0.0.1"]


def test_stalled_provider_holds_no_more_than_its_slots(honest: HonestProvider) -> None:
    """Four calls at once; whoever comes after waits a little, and is refused."""
    limits = Limits(read_seconds=1.5, wait_seconds=0.1)
    provider = IdentityProvider(provider_settings(honest.issuer), limits=limits)
    provider.require_issuer(None)
    honest.loopback.answers["/token"] = silent

    with ThreadPoolExecutor(8) as pool:
        began = time.monotonic()
        calls = [pool.submit(refused_after, provider, began) for _ in range(8)]
        waited = sorted(call.result() for call in calls)

    assert honest.loopback.count("/token") == 4
    assert waited[3] < 1 < waited[4]
    honest.publish()
    assert signs_in(provider)


def test_sixteen_at_once_sign_in_at_a_provider_that_takes_its_time(honest: HonestProvider) -> None:
    provider = IdentityProvider(provider_settings(honest.issuer))
    assert signs_in(provider)
    honest.loopback.answers["/token"] = slowly(honest.loopback.answers["/token"], 0.4)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda _: signs_in(provider), range(16)))


def refused_after(provider: IdentityProvider, began: float) -> float:
    with pytest.raises(ProviderUnavailable):
        redeem(provider)
    return time.monotonic() - began


def test_nothing_of_the_environment_is_used(
    honest: HonestProvider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither proxies nor a .netrc: both would hand secrets to others."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login somebody password secret")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert signs_in(IdentityProvider(provider_settings(honest.issuer)))
    gets = [each for each in honest.loopback.requests if each.method == "GET"]
    assert gets
    assert all("authorization" not in each.headers for each in gets)
    assert {each.headers["accept-encoding"] for each in honest.loopback.requests} == {"identity"}


def test_cookies_are_not_kept(honest: HonestProvider) -> None:
    metadata = honest.loopback.answers[METADATA]
    assert isinstance(metadata, Answer)
    cookie = {"Set-Cookie": "a=b", "Content-Type": "application/json"}
    honest.loopback.answers[METADATA] = Answer(body=metadata.body, headers=cookie)

    assert signs_in(IdentityProvider(provider_settings(honest.issuer)))
    assert all("cookie" not in each.headers for each in honest.loopback.requests)


@pytest.fixture
def over_tls(tmp_path: Path) -> Iterator[tuple[HonestProvider, Path]]:
    context, certificate = self_signed(tmp_path)
    with ExitStack() as stack:
        loopback = stack.enter_context(listening(Loopback(tls=context)))
        yield HonestProvider(loopback), certificate


def test_certificate_that_nobody_vouches_for_is_refused(
    over_tls: tuple[HonestProvider, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, certificate = over_tls
    # Neither the library's nor OpenSSL's own variables count.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    with pytest.raises(ProviderUnavailable) as caught:
        redeem(IdentityProvider(provider_settings(honest.issuer)))
    assert "certificate is not trusted" in str(caught.value.reason)
    assert "OAUTH_EXAMPLE_CA_FILE" in str(caught.value.reason)
    assert honest.loopback.requests == []
    assert signs_in(IdentityProvider(provider_settings(honest.issuer, ca_file=certificate)))


def test_certificate_of_another_host_is_refused(over_tls: tuple[HonestProvider, Path]) -> None:
    honest, certificate = over_tls
    elsewhere = f"https://127.0.0.1:{honest.loopback.port}"

    with pytest.raises(ProviderUnavailable) as caught:
        redeem(IdentityProvider(provider_settings(elsewhere, ca_file=certificate)))
    assert "certificate is not trusted" in str(caught.value.reason)


def test_certificates_are_always_verified(over_tls: tuple[HonestProvider, Path]) -> None:
    honest, _ = over_tls
    provider = IdentityProvider(provider_settings(honest.issuer))
    tls = provider._protocol._outbound.tls  # type: ignore[attr-defined]

    assert (tls.verify_mode, tls.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert tls.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_handshake_that_never_ends_is_cut(honest: HonestProvider) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        settings = provider_settings(f"https://localhost:{port}")
        began = time.monotonic()

        with pytest.raises(ProviderUnavailable):
            redeem(IdentityProvider(settings, limits=HASTY))
    assert time.monotonic() - began < 1


def test_reason_holds_no_word_of_the_providers(honest: HonestProvider) -> None:
    honest.metadata["token_endpoint"] = f"{honest.issuer}/token?key=confidential"
    honest.publish()
    honest.loopback.answers["/token?key=confidential"] = as_json(
        {"error": "confidential <b>", "error_description": "confidential"}, status=400
    )

    with pytest.raises(ProviderUnavailable) as caught:
        redeem(IdentityProvider(provider_settings(honest.issuer)))
    assert caught.value.reason
    assert "confidential" not in f"{caught.value.reason} {caught.value}"
