"""How much is logged, and in which form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.config.service import Environment
from app.config.variables import Variables

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """`level` is one of LEVELS; `text` is for people at a terminal."""

    level: str = "INFO"
    format: Literal["json", "text"] = "json"


def read_log(variables: Variables, environment: Environment) -> LogSettings:
    default = "text" if environment is Environment.DEVELOPMENT else LogSettings.format
    return LogSettings(
        level=variables.choice("LOG_LEVEL", LEVELS, LogSettings.level),
        format="text"
        if variables.choice("LOG_FORMAT", ("json", "text"), default) == "text"
        else "json",
    )
