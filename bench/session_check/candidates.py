"""What is compared: each candidate's way to start, what it is asked, and how it must answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.session_check.folders import HOST


@dataclass(frozen=True, kw_only=True)
class Answers:
    """How a candidate answers, in the words of ``check.lua``.

    ``refusal`` is the whole body of a refusal, or ``*``; ``person`` says where the answer names the
    person: ``body``, ``header:NAME`` or ``nowhere``.
    """

    accepted: int = 200
    refused: int = 401
    refusal: str = "*"
    person: str = "body"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """``program`` says what starts it (see ``launches.py``); ``store`` whose database it reads."""

    key: str
    title: str
    program: str
    store: str
    looks_up: str
    peer: str = ""
    path: str = "/session"
    host: str = HOST
    header_lines: str = ""
    answers: Answers = field(default_factory=Answers)
    environment: Mapping[str, str] = field(default_factory=dict)
    is_quick: bool = False
    """Whether the quick form asks it too."""

    @property
    def is_on_postgresql(self) -> bool:
        return self.store.endswith("_postgresql")
