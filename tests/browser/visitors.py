"""People at a real browser: what they hold, and what their browser complains about."""

import re
from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page

from tests.support.chromium import VirtualAuthenticator

PATIENCE_MS = 20_000
# A refusal is an answer like any other; the browser notes it in the console nevertheless.
_REFUSAL = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d ")
_TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`));
"""
_NO_AUTOFILL = """
if (window.PublicKeyCredential) {
  PublicKeyCredential.isConditionalMediationAvailable = async () => false;
}
"""


class Visitor:
    """A browser profile with one page and, unless said otherwise, an authenticator of its own."""

    def __init__(
        self,
        browser: Browser,
        origin: str,
        *,
        autofill: bool = False,
        authenticator: Mapping[str, object] | None = None,
        script: str = "",
        **options: Any,  # noqa: ANN401 - as Browser.new_context takes them
    ) -> None:
        """Open the profile; ``script`` runs in every page before the page's own."""
        self.origin = origin
        self.complaints: list[str] = []
        self.held: set[str] = set()
        """Every value of every cookie that the service has set here."""
        self.context = browser.new_context(
            **{"base_url": origin, "reduced_motion": "reduce", **options}
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.add_init_script(_TELL_VIOLATIONS + ("" if autofill else _NO_AUTOFILL) + script)
        self.page: Page = self.context.new_page()
        self.authenticator = VirtualAuthenticator(self.page, **(authenticator or {}))
        self._listen()

    def _listen(self) -> None:
        self.page.on("console", self._note_message)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        protocol = self.context.new_cdp_session(self.page)
        protocol.send("Network.enable")
        protocol.on("Network.responseReceivedExtraInfo", self._note_cookies)

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not _REFUSAL.match(message.text):
            self.complaints.append(message.text)

    def _note_cookies(self, response: Mapping[str, Any]) -> None:
        headers = {name.lower(): value for name, value in response["headers"].items()}
        for line in headers.get("set-cookie", "").split("\n"):
            value = line.partition(";")[0].partition("=")[2]
            self.held.update([value] if value else [])

    def replace_authenticator(self) -> None:
        """Take another device to hand, which holds no passkey yet."""
        self.authenticator.send("removeVirtualAuthenticator")
        self.authenticator = VirtualAuthenticator(self.page)

    @property
    def message(self) -> Locator:
        """What the page says about what was done last."""
        return self.page.locator("[data-message]:visible:not(:empty)")

    def press(self, name: str, within: Locator | Page | None = None) -> None:
        """Press the button of that name."""
        (within or self.page).get_by_role("button", name=name).click()

    def cookies(self) -> dict[str, str]:
        """Give the cookies that the browser would send now."""
        held = self.context.cookies()
        return {cookie["name"]: cookie["value"] for cookie in held}

    def passkeys_from(self, other: "Visitor") -> None:
        """Synchronise the passkeys of another browser to this one, as a password manager does."""
        for credential in other.authenticator.credentials():
            self.authenticator.send("addCredential", credential=credential)
