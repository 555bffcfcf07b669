"""A real Chromium with a virtual authenticator (WebAuthn §11.2)."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from tests.support.keeper import Keeper

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
)
PASSKEYS = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
    "defaultBackupEligibility": True,
    "defaultBackupState": True,
}
"""A password manager that synchronises its passkeys, on the device itself."""


@contextmanager
def chromium(keeper: Keeper, *flags: str) -> Iterator[Browser]:
    """Start the Chromium that CHROMIUM names, or that is on PATH.

    Without one the test fails under CI, and is left out with a word elsewhere. What drives it is
    kept, since a process can have it once.
    """
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        sentence = "no Chromium: install the package chromium, or name it with CHROMIUM=…"
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    playwright = keeper.once("playwright", sync_playwright)
    browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, *flags])
    yield browser
    browser.close()


class VirtualAuthenticator:
    """The authenticator of one page: touches and verifies by itself, keeps its passkeys."""

    def __init__(self, page: Page, **options: object) -> None:
        self._protocol: CDPSession = page.context.new_cdp_session(page)
        self._protocol.send("WebAuthn.enable", {"enableUI": False})
        added = self._protocol.send(
            "WebAuthn.addVirtualAuthenticator", {"options": {**PASSKEYS, **options}}
        )
        self._id: str = added["authenticatorId"]

    def send(self, method: str, **parameters: object) -> dict[str, Any]:
        """Say something of the DevTools protocol's WebAuthn domain to this authenticator."""
        answer: dict[str, Any] = self._protocol.send(
            f"WebAuthn.{method}", {"authenticatorId": self._id, **parameters}
        )
        return answer

    def credentials(self) -> list[dict[str, Any]]:
        """List the passkeys that it holds."""
        held: list[dict[str, Any]] = self.send("getCredentials")["credentials"]
        return held

    def verify_user(self, *, succeeds: bool) -> None:
        """Decide whether the person is recognised from now on."""
        self.send("setUserVerified", isUserVerified=succeeds)

    def touch_by_itself(self, *, touches: bool) -> None:
        """Decide whether a ceremony is answered without waiting for a person."""
        self.send("setAutomaticPresenceSimulation", enabled=touches)
