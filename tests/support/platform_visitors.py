"""People at a real browser on the platform's real host names."""

import re
from base64 import b64encode
from contextlib import suppress
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, Error, Request, Response, expect

from tests.browser.steps import sign_up
from tests.browser.visitors import Visitor
from tests.support.platform_sites import HOSTS
from tests.support.platforms import Platform

_MOST_HOPS = 12
"""What nobody's way takes: a loop is longer, and browsers follow twenty redirects."""
_MISSING = """[
  ...(document.styleSheets.length ? [] : ["every style sheet"]),
  ...[...document.styleSheets].filter((sheet) => !sheet.cssRules.length).map((sheet) => sheet.href),
  ...[...document.images].filter((image) => !image.naturalWidth).map((image) => image.src),
]"""


def flags_for(platform: Platform) -> list[str]:
    """Let a Chromium find every host on loopback, and believe the keys of their certificates.

    By key, since a page whose certificate is merely forgiven may not use passkeys.
    """
    rules = ",".join(f"MAP {host} 127.0.0.1" for host in HOSTS.values())
    folder = platform.authority.parent / "live"
    keys = ",".join(
        _fingerprint((folder / host / "fullchain.pem").read_bytes()) for host in HOSTS.values()
    )
    return [f"--host-resolver-rules={rules}", f"--ignore-certificate-errors-spki-list={keys}"]


def _fingerprint(certificate: bytes) -> str:
    key = x509.load_pem_x509_certificate(certificate).public_key()
    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b64encode(sha256(encoded).digest()).decode()


class PlatformVisitor(Visitor):
    """A browser profile that goes from host to host, and whose way is written down."""

    def __init__(self, browser: Browser, platform: Platform, **options: Any) -> None:  # noqa: ANN401
        """Open the profile at the identity host."""
        super().__init__(browser, platform.origin("identity"), **options)
        self.platform = platform
        self.way: list[str] = []
        """Every document that was asked for, redirects as well: host's id and path."""
        self.page.on("request", self._note_request)

    def sign_up(self, *groups: str, name: str = "Ada Lovelace") -> None:
        """Create an account by the pages; an operator puts it into groups."""
        sign_up(self, name=name)
        if groups:
            self.be_in(*groups)

    def be_in(self, *groups: str) -> None:
        """Be put into these groups and no others, by plain SQL, as everybody here is."""
        listed = ", ".join(f'"{group}"' for group in groups)
        self.platform.sql("UPDATE users SET groups = ?", f"[{listed}]")

    def go(self, name: str, path: str = "/") -> Response:
        """Open a page of an application, or of `identity`, and give the answer that it ends on."""
        self.way.clear()
        response = self.page.goto(f"{self.platform.origin(name)}{path}")
        assert response is not None
        assert len(self.way) < _MOST_HOPS, self.way
        return response

    def expect_at(self, name: str, path: str = "/") -> None:
        """See that the very page was reached and is the application's own."""
        self.page.wait_for_url(f"{self.platform.origin(name)}{path}")
        expect(self.page.locator("body")).to_contain_text(f"{name} {path}")

    def expect_asked(self, application: str) -> None:
        """See the sign-in page, which says where the person is on the way to."""
        self.page.wait_for_url(f"{self.platform.origin('identity')}/sign-in?**")
        expect(self.page.get_by_text(f"to continue to {application}")).to_be_visible()

    def expect_heading(self, name: str) -> None:
        expect(self.page.get_by_role("heading", name=name, level=1)).to_be_visible()

    def expect_styled(self) -> None:
        """See that what a page of the service looks like came with it, through the proxy."""
        missing = self.page.evaluate(_MISSING)
        assert missing == [], (self.page.url, missing)

    def token(self, name: str) -> str | None:
        """Give the session's cookie that this browser keeps for a host."""
        return self.cookie(name, "__Host-session")

    def cookie(self, name: str, cookie: str) -> str | None:
        held = self.context.cookies(self.platform.origin(name))
        return next((one["value"] for one in held if one["name"] == cookie), None)

    def set_out_and_stop(self, path: str) -> list[str]:
        """Open the wiki, and do not go where `path` is in the address; gives what was not asked."""
        kept: list[str] = []
        protocol = self.context.new_cdp_session(self.page)

        def keep(event: dict[str, Any]) -> None:
            kept.append(event["request"]["url"])
            refusal = {"requestId": event["requestId"], "errorReason": "Aborted"}
            protocol.send("Fetch.failRequest", refusal)

        protocol.on("Fetch.requestPaused", keep)
        protocol.send("Fetch.enable", {"patterns": [{"urlPattern": f"*{path}*"}]})
        with suppress(Error):
            self.page.goto(f"{self.platform.origin('wiki')}/")
        protocol.send("Fetch.disable")
        protocol.detach()
        return kept

    def _note_request(self, request: Request) -> None:
        if request.is_navigation_request():
            names = {self.platform.origin(name): name for name in HOSTS}
            origin, path = re.fullmatch(r"(https://[^/]+)([^?#]*).*", request.url).groups()  # type: ignore[union-attr]
            self.way.append(f"{names[origin]} {path}")
