"""A session gate in this process, and how to ask it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from app.config import Settings
from app.session_gate import SessionGate
from tests.support.callers import Call
from tests.support.clients import WireBrowser
from tests.support.people import SESSION_COOKIE, hand_over
from tests.support.raw_requests import InProcess, Reply, Request

CHECK, WHO = "/api/auth/verify", "/api/auth/session"
GRANTED, TOLD = (204, None), (200, None)
GONE, NOT_ALLOWED = (401, "not_signed_in"), (403, "not_allowed")
AWAY = (503, "database_unavailable")
Said = tuple[int, str | None]


@dataclass(frozen=True)
class Asked:
    """A gate alone, asked as a proxy asks it."""

    gate: SessionGate

    def reply(self, token: str | None, target: str = CHECK, **headers: str) -> Reply:
        """Ask with a token, or without one; headers are named with underscores."""
        lines = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
        if token is not None:
            lines.append((b"Cookie", f"{SESSION_COOKIE}={token}".encode()))
        return InProcess(self.gate).ask(Request(target=target.encode(), headers=lines))

    def said(self, token: str | None, target: str = CHECK, **headers: str) -> Said:
        """Ask, and give status and code."""
        reply = self.reply(token, target, **headers)
        if reply.header("content-type") != "application/problem+json":
            return reply.status, None
        code: str = json.loads(reply.body)["code"]
        return reply.status, code


@contextmanager
def asked_gate(settings: Settings, **database: Any) -> Iterator[Asked]:  # noqa: ANN401
    """Make a gate alone on the same database, with other ``DatabaseSettings``."""
    gate = SessionGate(replace(settings, database=replace(settings.database, **database)))
    try:
        yield Asked(gate)
    finally:
        gate.checks.close()


def check_at(port: int, token: str, target: str = CHECK) -> Call:
    """Ask a server for a check, each time by a connection of its own."""
    browser = hand_over(WireBrowser("127.0.0.1", port), token)
    return lambda: browser.get(target)
