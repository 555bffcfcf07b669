"""A browser's way through a provider, for tests that need no pages; and ways that it is misled."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

PATIENCE_SECONDS = 10


def sent_back(location: str) -> str:
    """Follow an authorization request to a provider without pages; give where it sends back to."""
    answer = requests.get(location, allow_redirects=False, timeout=PATIENCE_SECONDS)
    assert answer.is_redirect, f"{answer.status_code}: {answer.text}"
    return answer.headers["Location"]


def parameters_of(url: str) -> dict[str, str]:
    """Give the parameters of a URL's query."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def with_parameters(url: str, **instead: str | None) -> str:
    """Give a URL with parameters of its query replaced, added or, where None, left out."""
    given = {**parameters_of(url), **instead}
    query = urlencode({name: value for name, value in given.items() if value is not None})
    return urlsplit(url)._replace(query=query).geturl()


def delivered_to(provider: str, callback: str) -> str:
    """Give a callback URL as if it came from another provider, by its name at the service."""
    parts = urlsplit(callback)
    before, _, last = parts.path.rpartition("/")
    return parts._replace(path=f"{before.rpartition('/')[0]}/{provider}/{last}").geturl()


def passed_on(location: str, *, endpoint: str, client_id: str) -> str:
    """Give the authorization request that a hostile provider makes of the one it got.

    The heart of a mix-up attack (RFC 9700 section 4.4.1): the browser is sent on to an honest
    provider, with the client's own id there, and comes back with that provider's code.
    """
    query = urlsplit(with_parameters(location, client_id=client_id)).query
    return f"{endpoint}?{query}"
