"""Where a person goes after signing in: a path of this service, by a strict grammar.

What decides is the text of the path alone. Anything that a browser might read as another host
(two slashes, a backslash, control characters) or resolve into one (dot segments) is no path, nor
is what a proxy might decode into one of these.
"""

import re

LONGEST_RETURN_PATH = 2000

# RFC 3986 section 3.3 to 3.5: path-absolute of non-empty segments, then query and fragment.
_CHARACTER = r"[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2}"
_RETURN_PATH = re.compile(
    rf"(?:/(?:{_CHARACTER})+)*/?(?:\?(?:{_CHARACTER}|[/?])*)?(?:#(?:{_CHARACTER}|[/?])*)?"
)
_DOT_SEGMENT = re.compile(r"/\.{1,2}(?:[/?#]|\Z)")
# Encoded slash, backslash, full stop, percent sign, or control character, before the query.
_DISGUISED = re.compile(r"[^?#]*%(?:2[ef5]|5c|[01][0-9a-f]|7f)", re.IGNORECASE)


def return_path(text: str | None, *, default: str) -> str:
    """Give the path that ``text`` asks for, or the default where it is not a page of ours.

    Nothing of the API is one: a link from another site must not begin anything by a detour.
    """
    if not text or len(text) > LONGEST_RETURN_PATH or not text.startswith("/"):
        return default
    if _RETURN_PATH.fullmatch(text) is None:
        return default
    if text.startswith("/api/") or _DOT_SEGMENT.search(text) or _DISGUISED.match(text):
        return default
    return text
