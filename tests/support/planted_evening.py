"""What a day has left in the evening, wherever it may have been left."""

import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import planted_day, planted_outside, planted_tokens, planted_trouble
from tests.support.counts import trials
from tests.support.databases import EngineName
from tests.support.deployments import deployed
from tests.support.planted_day import Day
from tests.support.planted_secrets import Kind, Planted
from tests.support.secret_places import content_of, postgresql_storage, sqlite_storage

TALKATIVE: dict[str, Any] = {"LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json", "LOG_QUERIES": "1"}


@dataclass(frozen=True, kw_only=True)
class Evening:
    """What a day has left, and the service still under way."""

    day: Day
    places: Mapping[str, bytes]


def everywhere(day: Day) -> dict[str, bytes]:
    """Give what is in every place that outlives a request."""
    day.storage.checkpoint()
    return {
        "the service's log": day.deployment.server.log_file.read_bytes(),
        "what commands wrote": "\n".join(day.told).encode(),
        "the folder for temporary files": content_of(day.deployment.folder / "home"),
        "names and arguments of processes": b"\n".join(day.shown),
        "the database's log, stored elsewhere": day.storage.log(),
        "what is stored": day.stored(),
    }


def spend(day: Day) -> dict[str, bytes]:
    """Live through the day; gives what SQLite's files held at moments that pass.

    PostgreSQL's write-ahead log still holds all of it in the evening.
    """
    server, passing = day.deployment.server, dict[str, bytes]()

    def keep(moment: str) -> None:
        if day.storage.superuser is None:
            passing[f"what is stored {moment}"] = day.stored()

    with ThreadPoolExecutor(1) as aside:
        # Processes of their own, which have nothing to do with the service, and take their time.
        boots = aside.submit(planted_trouble.boot_wrongly, day)
        planted_day.operate(day)
        planted_day.live(day)
        planted_day.be_refused(day)
        planted_outside.go_out(day)
        planted_outside.be_refused(day)
        planted_tokens.renew_in_vain(day)
        keep("before a checkpoint")
        server.kill()
        keep("after a kill")
        planted_trouble.clear(day)
        keep("when every row is removed")
        server.environment = {**server.environment, "LOG_FORMAT": "text"}
        server.start()
        planted_day.live(day)
        planted_outside.go_out(day)
        planted_outside.be_refused(day)
        planted_trouble.make_mistakes(day)
        planted_trouble.storm(day, trials(50), seed=1966)
        planted_trouble.fail(day)
        planted_outside.fail(day)
        boots.result()
    day.told.append(day.command("oauth", "check"))
    return passing


@contextmanager
def whole_day(engine_name: EngineName, folder: Path) -> Iterator[Evening]:
    (home := folder / "home").mkdir()
    log, planted = logging.getLogger(), Planted()
    handlers, level = log.handlers, log.level
    with (
        postgresql_storage() if engine_name == "postgresql" else sqlite_storage(folder) as storage,
        planted_outside.parties(planted) as outsiders,
        deployed(
            storage.variables,
            folder,
            HOME=str(home),
            TMPDIR=str(home),
            **{**TALKATIVE, **planted_outside.variables_of(outsiders)},
        ) as deployment,
    ):
        log.handlers, log.level = handlers, level  # the application in this process is silent
        planted.plant(Kind.KEY, deployment.variables["SECRET_KEYS"])
        planted.plant(Kind.PASSWORD, storage.password)
        day = Day(deployment=deployment, storage=storage, planted=planted, outsiders=outsiders)
        passing = spend(day)
        yield Evening(day=day, places={**passing, **everywhere(day)})
