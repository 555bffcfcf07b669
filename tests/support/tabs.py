"""Tabs of one browser: they share its cookies, and each asks as the script of the pages does."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition

from werkzeug.test import TestResponse

from tests.support.clients import Browser

Call = tuple[str, str, object]

_PATIENCE_SECONDS = 30
_BREATH_SECONDS = 0.01
_SWAP_SECONDS = 0.1
"""Until a new token has come to the browser; the script of the pages allows more."""


@dataclass(kw_only=True)
class Tab:
    """Makes the same call again and again."""

    browser: Browser
    call: Call
    asked_again: int = 0
    lost: list[str] = field(default_factory=list)
    """What was refused for good, so that the person would have to sign in."""
    _began: float = 0
    _changed: Condition = field(default_factory=Condition)
    _closed: bool = False

    def await_call_from_now(self) -> None:
        """Wait until a call that begins after this moment has been answered."""
        now = time.monotonic()
        with self._changed:
            answered = self._changed.wait_for(lambda: self._began > now, _PATIENCE_SECONDS)
        assert answered, f"{self.call} was not answered"

    def loop(self) -> None:
        while not self._closed:
            began = time.monotonic()
            self._persist()
            with self._changed:
                self._began = began
                self._changed.notify_all()
            time.sleep(_BREATH_SECONDS)

    def close(self) -> None:
        self._closed = True

    def _persist(self) -> None:
        answer = self._ask()
        if answer.status_code == 401:
            self.asked_again += 1
            time.sleep(_SWAP_SECONDS)
            answer = self._ask()
        if answer.status_code == 401:
            answer = self.browser.get("/sign-in?return_to=/account")
            if answer.headers.get("Location") == "/account":
                return
        if answer.status_code != 200:
            self.lost.append(f"{self.call}: {answer.status}")

    def _ask(self) -> TestResponse:
        method, path, body = self.call
        return self.browser.open(path, method=method, json=body)


@contextmanager
def open_tabs(browser: Browser, calls: Sequence[Call]) -> Iterator[list[Tab]]:
    """Open a tab for each call; all are closed when the block ends."""
    tabs = [Tab(browser=browser, call=call) for call in calls]
    with ThreadPoolExecutor(len(tabs)) as threads:
        running = [threads.submit(tab.loop) for tab in tabs]
        try:
            yield tabs
        finally:
            for tab in tabs:
                tab.close()
    for one in running:
        one.result()
