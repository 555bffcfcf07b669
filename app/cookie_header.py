"""The `Cookie` header, read exactly as RFC 6265 section 5.4 lets a browser write it.

Parsers that trim other white space or unquote can be made to see a cookie that the browser never
set.
"""

import re
from collections.abc import Callable


def cookie_reader(name: str) -> Callable[[str], list[str]]:
    """Give what finds each value of the cookie of this name in a header."""
    # A name without a value counts: some parsers take it for the cookie.
    pattern = re.compile(rf"(?:\A|;)[ \t]*{re.escape(name)}(?:=([^;]*)|[ \t]*(?=;|\Z))")

    def read(header: str) -> list[str]:
        return [value.rstrip(" \t") for value in pattern.findall(header)]

    return read
