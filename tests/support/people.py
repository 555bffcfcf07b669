"""People at their browsers, and the ceremonies they go through: honest, unless a test bends one."""

from dataclasses import dataclass
from typing import Unpack

from werkzeug.test import TestResponse

from tests.support.authenticator import Authenticator, Credential, Json, Twists
from tests.support.clients import Browser
from tests.support.variables import ORIGIN

SESSION_COOKIE = "openbadges_session_8000"
BROWSER_COOKIE = "openbadges_browser_8000"
ADDRESS = "ada@example.org"


@dataclass(kw_only=True)
class Person:
    """Somebody with an account, signed in with the passkey of their phone."""

    client: Browser
    phone: Authenticator
    user: Json

    @property
    def credential(self) -> Credential:
        """The newest passkey on the phone."""
        (credentials,) = self.phone.credentials.values()
        return credentials[-1]


def new_phone() -> Authenticator:
    """Make an authenticator whose passkeys are synced, as most people's are."""
    return Authenticator(origin=ORIGIN)


def begin_sign_up(client: Browser, *, email: str = ADDRESS, **members: object) -> TestResponse:
    body = {"email": email, "name": "Ada", **members}
    return client.post("/api/auth/registration/options", json=body)


def finish_sign_up(
    client: Browser, phone: Authenticator, options: Json, **twists: Unpack[Twists]
) -> TestResponse:
    credential = phone.create(options, **twists)
    return client.post("/api/auth/registration", json={"credential": credential})


def sign_up(
    client: Browser, phone: Authenticator | None = None, *, email: str = ADDRESS, **members: object
) -> Person:
    """Create an account, and see that this worked."""
    phone = phone or new_phone()
    options = begin_sign_up(client, email=email, **members)
    assert options.status_code == 200, options.text
    finished = finish_sign_up(client, phone, json_of(options))
    assert finished.status_code == 201, finished.text
    return Person(client=client, phone=phone, user=json_of(finished)["user"])


def sign_in(
    client: Browser,
    phone: Authenticator,
    *,
    credential: Credential | None = None,
    **twists: Unpack[Twists],
) -> TestResponse:
    options = post(client, "/api/auth/authentication/options")
    assertion = phone.get(options, credential=credential, **twists)
    return client.post("/api/auth/authentication", json={"credential": assertion})


def step_up(
    client: Browser,
    phone: Authenticator,
    *,
    credential: Credential | None = None,
    **twists: Unpack[Twists],
) -> TestResponse:
    options = post(client, "/api/auth/reauthentication/options")
    assertion = phone.get(options, credential=credential, **twists)
    return client.post("/api/auth/reauthentication", json={"credential": assertion})


def enrol(
    client: Browser, phone: Authenticator, *, name: str | None = None, **twists: Unpack[Twists]
) -> TestResponse:
    options = post(client, "/api/auth/credentials/options")
    body = {"credential": phone.create(options, **twists)}
    return client.post(
        "/api/auth/credentials", json=body | ({"credential_name": name} if name else {})
    )


def add_passkey(person: Person, phone: Authenticator | None = None, *, name: str = "Spare") -> Json:
    """Enrol one more passkey, and see that this worked; gives it as it is told."""
    finished = enrol(person.client, phone or new_phone(), name=name)
    assert finished.status_code == 201, finished.text
    told: Json = json_of(finished)["credential"]
    return told


def passkeys(client: Browser) -> list[Json]:
    listed = client.get("/api/auth/credentials")
    assert listed.status_code == 200, listed.text
    items: list[Json] = json_of(listed)["items"]
    return items


def new_codes(client: Browser) -> list[str]:
    made = client.post("/api/auth/recovery-codes")
    assert made.status_code == 201, made.text
    codes: list[str] = json_of(made)["codes"]
    return codes


def post(client: Browser, path: str) -> Json:
    """Post an empty object to where that is fine."""
    answer = client.post(path, json={})
    assert answer.status_code == 200, answer.text
    return json_of(answer)


def json_of(answer: TestResponse) -> Json:
    document: Json = answer.get_json()
    return document


def refusal(answer: TestResponse) -> tuple[int, str]:
    """Give the status and the code of a refusal, which says both in its problem document."""
    assert answer.mimetype == "application/problem+json", answer.text
    problem = json_of(answer)
    assert problem["status"] == answer.status_code
    code: str = problem["code"]
    return answer.status_code, code


def is_signed_in(client: Browser) -> bool:
    return client.get("/api/auth/session").status_code == 200


def token_of(client: Browser, name: str = SESSION_COOKIE) -> str:
    """Give the value of a cookie that the browser holds."""
    cookie = client.get_cookie(name)
    assert cookie is not None
    return cookie.value


def hand_over(client: Browser, token: str, name: str = SESSION_COOKIE) -> Browser:
    """Give the browser a cookie as an attacker, or a test, can come by it."""
    client.set_cookie(name, token)
    return client
