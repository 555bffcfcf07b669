"""A person whose only way in is an outside account, and somebody who had their address first.

They change whatever a round trip to a provider can change, and write down what they were promised,
with all that it takes to present an answer of the provider once more.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from werkzeug.test import TestResponse

from tests.support.clients import Browser
from tests.support.journal import Journal
from tests.support.outside_accounts import (
    QuietProvider,
    begin,
    come_back,
    linked,
    provider_settings,
    state_in,
    went_on,
)
from tests.support.people import (
    BROWSER_COOKIE,
    SESSION_COOKIE,
    hand_over,
    json_of,
    sign_up,
    token_of,
)

ACCOUNT, SPARE = "grace", "spare"
"""The two accounts at the provider, by the codes that it sends people back with."""


def quiet_github() -> QuietProvider:
    """Make the provider; the service keeps its tokens."""
    return QuietProvider(settings=provider_settings(store_tokens=True))


def arrange_accounts(provider: QuietProvider, email: str) -> None:
    """Let the person have two accounts there, one of which proves the address."""
    provider.add(ACCOUNT, email=email, email_verified=True)
    provider.add(SPARE)


@dataclass(kw_only=True)
class OutsideLife:
    """One person from the first sign-in on; what is not as it should be fails an assertion."""

    email: str
    new_browser: Callable[[], Browser]
    journal: Journal
    provider: QuietProvider
    browser: Browser = field(init=False)

    def __post_init__(self) -> None:
        """Open the browser in which all this takes place."""
        self.browser = self.new_browser()
        arrange_accounts(self.provider, self.email)

    def squat(self) -> None:
        """Let somebody else sign up with the address, which they never prove."""
        squatter = sign_up(self.new_browser(), email=self.email)
        told = token_of(squatter.client)
        self.journal.acknowledge("squat", email=self.email, token=told)

    def arrive(self) -> None:
        """Sign in for the first time."""
        self._return("arrive", begin(self.browser), ACCOUNT)

    def sign_in_again(self) -> None:
        """Sign in where somebody is signed in: that session ends."""
        self._return("sign_in_again", begin(self.browser), ACCOUNT)

    def link(self) -> None:
        self._return("link", self._begin("link"), SPARE)

    def step_up(self) -> None:
        self._return("step_up", self._begin("reauthenticate"), ACCOUNT)

    def unlink(self) -> None:
        (spare,) = (one for one in linked(self.browser) if one["name"] == SPARE.capitalize())
        self.journal.ask("unlink", email=self.email)
        answer = self.browser.delete(f"/api/oauth/accounts/{spare['id']}")
        assert answer.status_code == 204, answer.text
        self.journal.acknowledge("unlink", email=self.email)

    def _begin(self, what: str) -> str:
        begun = self.browser.post(f"/api/oauth/github/{what}", json={})
        assert begun.status_code == 200, begun.text
        return state_in(json_of(begun)["location"])

    def _return(self, operation: str, state: str, code: str) -> None:
        cookie = self.browser.get_cookie(SESSION_COOKIE)
        asked = {
            "email": self.email,
            "state": state,
            "code": code,
            "mark": token_of(self.browser, BROWSER_COOKIE),
            "came_with": cookie.value if cookie else None,
        }
        self.journal.ask(operation, **asked)
        answer = come_back(self.browser, state, code=code)
        assert went_on(answer), answer.headers
        token = token_of(self.browser)
        self.journal.acknowledge(operation, **asked, token=token)


def present_again(client: Browser, asked: dict[str, str | None]) -> TestResponse:
    """Come back once more with an answer of the journal's, in the browser as it was then."""
    hand_over(client, asked["mark"] or "", BROWSER_COOKIE)
    if asked["came_with"]:
        hand_over(client, asked["came_with"])
    return come_back(client, asked["state"] or "", code=asked["code"] or "")
