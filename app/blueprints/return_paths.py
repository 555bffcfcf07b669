"""Where a person goes after signing in: a path of this service, by a strict grammar.

What decides is the text of the path alone. Anything that a browser might read as another host
(two slashes, a backslash, control characters) or resolve into one (dot segments) is no path, nor
is what a proxy might decode into one of these.
"""

import re
from urllib.parse import quote, unquote, urlencode

from app.services.application_details import ID

LONGEST_RETURN_PATH = 2000
ON_OTHER_HOSTS = "/.identity/"
"""Where our paths begin on the host of an application."""

# RFC 3986 section 3.3 to 3.5: path-absolute of non-empty segments, then query and fragment.
_CHARACTER = r"[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2}"
_RETURN_PATH = re.compile(
    rf"(?:/(?:{_CHARACTER})+)*/?(?:\?(?:{_CHARACTER}|[/?])*)?(?:#(?:{_CHARACTER}|[/?])*)?"
)
_DOT_SEGMENT = re.compile(r"/\.{1,2}(?:[/?#]|\Z)")
# Encoded slash, backslash, full stop, percent sign, or control character, before the query.
_DISGUISED = re.compile(r"[^?#]*%(?:2[ef5]|5c|[01][0-9a-f]|7f)", re.IGNORECASE)

# What means nothing in the value of a query stays as it is: a path grows little by being nested.
_PLAIN_IN_QUERY = "/?:@!$'()*,;~"
_HANDOVER = re.compile(
    rf"/api/auth/handover\?app=({ID.pattern})&origin=https?://[a-z0-9.-]+(?::[0-9]+)?"
    r"&browser=[A-Za-z0-9_-]{43}&return_to=/(?:[A-Za-z0-9\-._/?:@!$'()*,;~]|%[0-9A-Fa-f]{2})*"
)


def return_path(text: str | None, *, default: str) -> str:
    """Give the path that ``text`` asks for, or the default where it is not a page of ours.

    Nothing of the API is one: a link from another site must not begin anything by a detour. The
    one exception is the way to an application, exactly as ``handover_path`` writes it.
    """
    if application_on_the_way(text):
        return text or default
    # However it is written: the service decodes a path before it looks where it leads.
    is_of_api = unquote(text or "").startswith("/api/")
    return default if is_of_api else _local_path(text, default=default)


def application_path(text: str | None) -> str:
    """Give the path that ``text`` asks for on an application's own host, or its start page.

    Browsers leave some characters of a query as they were typed, which the grammar knows encoded.
    """
    path, mark, query = (text or "").partition("?")
    tidied = path + mark + quote(query, safe=f"{_PLAIN_IN_QUERY}&=+%#")
    wanted = _local_path(tidied, default="/")
    # Ours there lead to us again.
    return "/" if unquote(wanted).startswith(ON_OTHER_HOSTS.rstrip("/")) else wanted


def handover_path(*, app: str, origin: str, browser: str, return_to: str) -> str:
    """Write the path that hands a session over to an application; too long a target is left out."""
    way = in_query(app=app, origin=origin, browser=browser)
    path = f"/api/auth/handover?{way}&{in_query(return_to=return_to)}"
    return path if len(path) <= LONGEST_RETURN_PATH else f"/api/auth/handover?{way}&return_to=/"


def application_on_the_way(text: str | None) -> str | None:
    """Give the id of the application that a path leads to by a hand-over, if it does."""
    if not text or len(text) > LONGEST_RETURN_PATH:
        return None
    found = _HANDOVER.fullmatch(text)
    return found[1] if found else None


def in_query(**values: str) -> str:
    """Write values as a query."""
    return urlencode(values, quote_via=quote, safe=_PLAIN_IN_QUERY)


def _local_path(text: str | None, *, default: str) -> str:
    if not text or len(text) > LONGEST_RETURN_PATH or not text.startswith("/"):
        return default
    if _RETURN_PATH.fullmatch(text) is None:
        return default
    return default if _DOT_SEGMENT.search(text) or _DISGUISED.match(text) else text
