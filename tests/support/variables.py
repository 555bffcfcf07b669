"""The variables that the tests' applications run with."""

import secrets
from collections.abc import Mapping
from types import MappingProxyType

ORIGIN = "http://localhost:8000"

DEVELOPMENT: Mapping[str, str] = MappingProxyType(
    {
        "APP_ENV": "development",
        "PUBLIC_ORIGIN": ORIGIN,
        "REGISTRATION": "open",
        # Given, so that no test makes keys in instance/.
        "SECRET_KEYS": secrets.token_urlsafe(32),
    }
)
"""A developer's settings; the database is named beside them."""
