"""Providers that repeat what they know where nobody expects it, as broken and hostile ones do."""

from collections.abc import Callable, Iterator
from urllib.parse import urlencode

from tests.support.hostile_provider import HostileProvider
from tests.support.jws import random_text
from tests.support.lie import Lie, Reply, Teller, Told, says
from tests.support.loopback_http import Answer, Question, as_json
from tests.support.planted_secrets import Kind, Planted

_JSON = {"Content-Type": "application/json"}
_FRAGMENT = 43
_HTML = {"Content-Type": "text/html"}


def truth(planted: Planted) -> Lie:
    """Give an honest answer whose tokens are planted."""
    return Lie(name="truth", covers=(), expected=None, tokens=_planting(planted))


def echoes(planted: Planted) -> Iterator[Lie]:
    """Give lies that are refused, each of which repeats secrets."""
    plant = _planting(planted)
    yield Lie(name="another nonce", covers=(), claims=says(nonce=random_text()), tokens=plant)
    yield Lie(
        name="a code in the error's description",
        covers=(),
        expected="provider_unavailable",
        authorization=_error_that_repeats_the_code,
    )
    yield from token_echoes(planted)
    for status in (200, 401):
        yield Lie(
            name=f"UserInfo in HTML with status {status}",
            covers=(),
            expected="provider_unavailable",
            tokens=plant,
            userinfo=lambda teller, _told, status=status: Answer(  # type: ignore[misc]
                status=status, headers=_HTML, body=_page(teller)
            ),
        )


def token_echoes(planted: Planted) -> Iterator[Lie]:
    """Give the lies of the token endpoint among them."""
    plant = _planting(planted)
    for name, answer in _AT_THE_TOKEN_ENDPOINT.items():
        yield Lie(
            name=name,
            covers=(),
            expected="identity_rejected" if "invalid_grant" in name else "provider_unavailable",
            tokens=_instead(plant, answer),
        )


def asked_of(teller: Teller) -> Question:
    """Give what the provider is asked right now."""
    assert isinstance(teller, HostileProvider)
    return teller.questions[-1]


def _planting(planted: Planted) -> Reply:
    def plant(teller: Teller, told: Told) -> Told:
        renews = asked_of(teller).form["grant_type"] == "refresh_token"
        access = Kind.RENEWED_ACCESS if renews else Kind.PROVIDER_ACCESS
        planted.plant(access, str(told["access_token"]))
        planted.plant(Kind.PROVIDER_REFRESH, str(told["refresh_token"]))
        # What stands before its signature is known to others, but for the nonce.
        planted.plant(Kind.ID_TOKEN, str(told["id_token"]).rpartition(".")[2][:_FRAGMENT])
        return told

    return plant


def _instead(plant: Reply, answer: Callable[[Teller, Told], Answer]) -> Reply:
    def reply(teller: Teller, told: Told) -> Answer:
        plant(teller, told)
        return answer(teller, told)

    return reply


def _error_that_repeats_the_code(_: Teller, told: Told) -> Told:
    words = f"the code {told['code']} was not wanted"
    rest = {name: told[name] for name in ("state", "iss")}
    return {"error": "server_error", "error_description": words, "error_uri": words, **rest}


def _repeated(teller: Teller) -> str:
    """Give all that the request said, as a proud error page shows it."""
    asked = asked_of(teller)
    return f"{urlencode(asked.form)} {asked.headers.get('authorization')}"


def _page(teller: Teller) -> bytes:
    return f"<!doctype html><h1>Sorry</h1><pre>{_repeated(teller)}</pre>".encode()


def _error_500(teller: Teller, _: Told) -> Answer:
    return Answer(status=500, headers=_HTML, body=_page(teller))


def _refusal(teller: Teller, _: Told) -> Answer:
    told = {"error": "invalid_grant", "error_description": _repeated(teller)}
    return as_json(told, status=400)


def _secret_as_error(teller: Teller, _: Told) -> Answer:
    form = asked_of(teller).form
    return as_json({"error": form.get("code_verifier") or form["refresh_token"]}, status=400)


def _open_json(_: Teller, told: Told) -> Answer:
    return Answer(headers=_JSON, body=f'{{"access_token": "{told["access_token"]}", '.encode())


def _blank(_: Teller, told: Told) -> Answer:
    return as_json({**told, "access_token": f"{told['access_token']} {told['refresh_token']}"})


def _redirect(teller: Teller, told: Told) -> Answer:
    there = f"{teller.issuer}/elsewhere?{urlencode({'access_token': told['access_token']})}"
    return Answer(status=307, headers={"Location": f"{there}&{_repeated(teller)}"})


def _broken_status(teller: Teller, _: Told) -> Answer:
    return Answer(raw=[f"{_repeated(teller)}\r\n\r\n".encode()])


def _broken_headers(teller: Teller, _: Told) -> Answer:
    head = "HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n"
    return Answer(raw=[f"{head}{_repeated(teller)}\r\nX: y\r\n\r\n{{}}".encode()])


def _cut_short(_: Teller, told: Told) -> Answer:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
    return Answer(raw=[f'{head}{{"access_token": "{told["access_token"]}"'.encode()])


def _nothing(_: Teller, _told: Told) -> Answer:
    return Answer(raw=())


_AT_THE_TOKEN_ENDPOINT = {
    "the request in a page with status 500": _error_500,
    "the request in the description of invalid_grant": _refusal,
    "a secret as an error": _secret_as_error,
    "a token in JSON that does not end": _open_json,
    "two tokens in one": _blank,
    "a redirect with a token": _redirect,
    "a status line that is the request": _broken_status,
    "a header line that is the request": _broken_headers,
    "a connection that breaks behind a token": _cut_short,
    "a connection that breaks": _nothing,
}
