"""Ceremony options and signals as browsers read them (WebAuthn L3 §5.4, §5.5, §5.1.10).

Written out here, since the library's builders take a fresh challenge or name where one is empty.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from . import base64url

Descriptor = tuple[bytes, Sequence[str]]
"""A credential id and its transports."""


def descriptors(credentials: Iterable[Descriptor]) -> list[dict[str, object]]:
    """PublicKeyCredentialDescriptorJSON for each; without transports where none are known."""
    return [
        {"type": "public-key", "id": base64url.encode(credential_id)}
        | ({"transports": list(transports)} if transports else {})
        for credential_id, transports in credentials
    ]


def milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


def signal(method: str, **options: object) -> dict[str, object]:
    """A call of the Signal API: the static method of PublicKeyCredential and its argument."""
    return {"method": method, "options": options}
