"""Browsers that take a 503 for what it is: nobody can tell whether the request was carried out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from werkzeug.test import TestResponse

from tests.support.callers import assert_asks_to_come_back
from tests.support.clients import Browser, NoAnswerError, WireBrowser
from tests.support.tally import Tally


@dataclass(kw_only=True)
class Wariness:
    """What the browsers of one test were refused, each refusal looked at closely."""

    tally: Tally
    refusals: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def note(self, answer: TestResponse) -> None:
        with self._lock:
            self.refusals += 1
        with self.tally.trial():
            assert_asks_to_come_back(answer)

    def maker(self, port: int) -> Callable[[], Browser]:
        return lambda: _WaryBrowser("127.0.0.1", port, wariness=self)


class _WaryBrowser(WireBrowser):
    """Raises ``NoAnswerError`` for a 503; a connection that breaks is a finding here."""

    def __init__(self, host: str, port: int, *, wariness: Wariness) -> None:
        super().__init__(host, port)
        self._wariness = wariness

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:  # noqa: ANN401 - as inherited
        try:
            answer = super().open(*args, **kwargs)
        except NoAnswerError as error:
            self._wariness.tally.finding(f"the service broke a connection: {error}")
            raise
        if answer.status_code == 503:
            self._wariness.note(answer)
            raise NoAnswerError(answer.text)
        return answer
