"""A page looked at in every guise: pictures for a person, and what axe-core has against it."""

from pathlib import Path
from typing import Literal

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import FloatRect, Page

from tests.support.servers import ROOT

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
PICTURED = (390, 1280)
NARROWEST = 320
TALLEST = 3000
SCREENSHOTS = ROOT / "screenshots"


def look(page: Page, name: str) -> None:
    """Picture a page in every guise, and see that it is fit for everybody in each."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for width in (NARROWEST, *PICTURED):
            page.set_viewport_size({"width": width, "height": 844})
            assert not scrolls_sideways(page), (scheme, width)
            if width in PICTURED:
                take_picture(page, SCREENSHOTS / f"{name}-{width}-{scheme}.png")
        assert barriers(page) == [], scheme


def take_picture(page: Page, file: Path) -> None:
    """Write the whole page, or its beginning where it is as long as a book."""
    if page.get_by_role("dialog").is_visible():
        page.screenshot(path=file)
        return
    size = page.evaluate("[innerWidth, document.documentElement.scrollHeight]")
    clip = FloatRect(x=0, y=0, width=size[0], height=min(size[1], TALLEST))
    page.screenshot(path=file, full_page=True, clip=clip)


def scrolls_sideways(page: Page) -> bool:
    wide: bool = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return wide


def barriers(page: Page) -> list[str]:
    """Give what axe-core has against the page: each rule, and where it is broken."""
    found = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {', '.join(str(node['target'][0]) for node in violation['nodes'])}"
        for violation in found
    ]
