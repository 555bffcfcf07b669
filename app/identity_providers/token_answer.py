"""The body of a token response (RFC 6749, sections 5.1 and 5.2), and how GitHub writes it."""

from urllib.parse import parse_qsl

import requests

from app.errors import ProviderUnavailable

from .documents import parse_object


def read_answer(response: requests.Response) -> dict[str, object]:
    """Read the members, among them `error` where the request was refused.

    An error may come with any status: GitHub sends 200. Raises ProviderUnavailable for whatever
    says neither that nor that it succeeded.
    """
    answer = _read_members(response)
    if response.ok or isinstance(answer.get("error"), str):
        return answer
    raise ProviderUnavailable(reason=f"its token endpoint has status {response.status_code}")


def _read_members(response: requests.Response) -> dict[str, object]:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            return _read_form(response.content)
        return parse_object(response.content)
    except ValueError as error:
        reason = f"its token endpoint answers no JSON object (status {response.status_code})"
        raise ProviderUnavailable(reason=reason) from error


def _read_form(body: bytes) -> dict[str, object]:
    """Read what GitHub sends to whoever it believes to have asked for no JSON."""
    pairs = parse_qsl(body.decode("ascii"), strict_parsing=True, max_num_fields=20)
    members: dict[str, object] = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members
