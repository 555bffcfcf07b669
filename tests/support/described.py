"""Requests that the API's own document allows or forbids, made and judged by Schemathesis."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from tests.support.authenticator import Json
from tests.support.raw_requests import HOST
from tests.support.tally import Tally

Case = schemathesis.Case[Any]
Operation = APIOperation[Any, Any, Any, Any]

_SEED = 20_261_124
_LEFT_OUT = {
    # A cookie that is none of ours is refused as that, with 400, before anybody asks whose it is.
    "ignored_auth",
    # It takes other people's things; other tests have them.
    "object_level_authorization",
}


def load(document: Json, *, port: int) -> schemathesis.BaseSchema:
    """Load a document for the service at a port.

    Without the response that stands for every status that is not named: each that occurs is to be.
    """
    for methods in document["paths"].values():
        for operation in methods.values():
            del operation["responses"]["default"]
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=f"http://127.0.0.1:{port}")
    # The session is a real one, or there is none.
    schema.config.generation.update(with_security_parameters=False)
    return schema


def operations(schema: schemathesis.BaseSchema) -> dict[str, Operation]:
    """Give the operations by their names."""
    found = {}
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        found[operation.definition.raw["operationId"]] = operation
    return found


@dataclass(kw_only=True)
class Asker:
    """Asks in somebody's name, counts, and remembers which statuses each operation answered."""

    tally: Tally
    unsayable: Collection[str]
    """Operations that refuse some values which fit, by rules that no schema can say."""
    cookie: str | None = None
    statuses: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _http: requests.Session = field(default_factory=requests.Session)

    def try_values(self, operation: Operation, *, examples: int) -> None:
        """Ask with values that fit and with values that do not."""
        for mode in GenerationMode if _takes_anything(operation) else [GenerationMode.POSITIVE]:
            _for_each(operation.as_strategy(generation_mode=mode), examples, self.ask)

    def try_edges(self, operation: Operation) -> None:
        """Ask with values at every edge of what fits, and by the methods that there are not."""
        cases: Iterable[Case] = operation.schema.iter_coverage_cases(
            operation,
            generation_modes=list(GenerationMode),
            generation_config=operation.schema.config.generation,
        )
        for case in cases:
            self.ask(case)

    def try_on(self, operation: Operation, *, examples: int, **ids: str) -> None:
        """Ask with values that fit, about something that exists."""
        _for_each(operation.as_strategy(path_parameters=dict(ids)), examples, self.ask)

    def ask(self, case: Case) -> None:
        """Ask, and have every check look at the answer."""
        headers = {"Host": HOST, "Sec-Fetch-Site": "same-origin"}
        if self.cookie is not None:
            headers["Cookie"] = self.cookie
        self._http.cookies.clear()
        self._http.trust_env = False
        name = case.operation.definition.raw["operationId"]
        with self.tally.trial():
            answer = case.call(session=self._http, headers=headers, allow_redirects=False)
            if answer.request.method == case.operation.method.upper():
                self.statuses[name].add(answer.status_code)
            try:
                case.validate_response(answer, checks=self._checks(name), headers=headers)
            except (Failure, FailureGroup) as failure:
                raise AssertionError(f"{name}: {failure}") from failure

    def close(self) -> None:
        self._http.close()

    def _checks(self, name: str) -> list[Any]:
        load_all_checks()
        left_out = _LEFT_OUT | ({"positive_data_acceptance"} if name in self.unsayable else set())
        return [CHECKS.get_one(one) for one in CHECKS.get_all_names() if one not in left_out]


def _takes_anything(operation: Operation) -> bool:
    return bool(operation.body) or any(operation.iter_parameters())


def _for_each(
    strategy: st.SearchStrategy[Case], examples: int, use: Callable[[Case], None]
) -> None:
    @seed(_SEED)
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def use_each(case: Case) -> None:
        use(case)

    use_each()
