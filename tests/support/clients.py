"""A browser, as far as a request's headers go."""

from typing import Any

from flask.testing import FlaskClient
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from tests.support.variables import ORIGIN


class Browser(FlaskClient):
    """Asks as a page of the service does: from its origin, keeping the cookies it is given."""

    sec_fetch_site: str | None = "same-origin"
    """What a request says of the page that makes it; None as from a browser that says nothing."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:  # noqa: ANN401 - as inherited
        """Add what a browser adds, unless the test says otherwise."""
        if args and isinstance(args[0], str):
            kwargs.setdefault("base_url", ORIGIN)
            headers = Headers(kwargs.get("headers"))
            if self.sec_fetch_site is not None:
                headers.setdefault("Sec-Fetch-Site", self.sec_fetch_site)
            kwargs["headers"] = headers
        return super().open(*args, **kwargs)
