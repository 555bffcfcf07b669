"""What a request may say of itself and of the page that makes it, in all mixtures."""

from dataclasses import astuple, dataclass
from itertools import product
from operator import ne

from tests.support.variables import ORIGIN

SITES = ("same-origin", "same-site", "cross-site", "none", None)
ORIGINS = (
    ORIGIN,
    "https://evil.example",
    "null",
    "http://localhost:8001",
    "https://localhost:8000",
    "http://localhost",
    f"{ORIGIN}.evil.example",
    None,
)
CONTENT_TYPES = (
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    None,  # a body that does not say what it is
    "no body",
)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One mixture; without cookies, the client is no browser that anybody is signed in with."""

    content_type: str | None = "application/json"
    site: str | None = "same-origin"
    origin: str | None = ORIGIN
    cookies: bool = True

    @property
    def is_ours(self) -> bool:
        """Tell whether a page of ours, or no browser at all, made the request."""
        if self.site is None and self.origin is None:
            return not self.cookies
        return self.site in {"same-origin", None} and self.origin in {ORIGIN, None}

    @property
    def is_allowed(self) -> bool:
        return self.is_ours and self.content_type in {"application/json", "no body"}

    @property
    def differs_in_one(self) -> bool:
        """Tell whether the request is honest but for one thing."""
        differences = [*map(ne, astuple(self), astuple(HONEST))]
        return differences.count(True) == 1

    @property
    def headers(self) -> dict[str, str | None]:
        """What the mixture says; None where the header is to be left out."""
        kind = None if self.content_type == "no body" else self.content_type
        return {"Content-Type": kind, "Sec-Fetch-Site": self.site, "Origin": self.origin}


HONEST = Cell()
CELLS = tuple(
    Cell(content_type=content_type, site=site, origin=origin, cookies=cookies)
    for content_type, site, origin, cookies in product(CONTENT_TYPES, SITES, ORIGINS, (True, False))
)
