"""Hostile providers by the hundred behind one port, each an issuer of its own.

A service keeps what it learnt of an issuer's metadata and keys for an hour. Here a lie is told by
a tenant that nobody has asked before, so that what is kept of others hides nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from tests.support.hostile_provider import HostileProvider
from tests.support.lie import Lie
from tests.support.loopback_http import Answer, Question, answering, as_json


@dataclass(frozen=True, kw_only=True)
class Tenants:
    """The providers by the names that the service knows them by."""

    by_name: Mapping[str, HostileProvider]
    strayed: list[str] = field(default_factory=list)
    """The paths of no tenant that were asked all the same."""

    def variables(self) -> dict[str, str]:
        """Give the variables that switch all of them on."""
        each = (provider.variables(name) for name, provider in self.by_name.items())
        return {name: value for variables in each for name, value in variables.items()}

    def answer(self, question: Question) -> Answer:
        """Let the tenant answer whose the path is."""
        name, _, path = question.path.removeprefix("/").partition("/")
        if name not in self.by_name:
            self.strayed.append(question.path)
            return as_json({}, status=404)
        return self.by_name[name].answer(replace(question, path=f"/{path}"))

    def asked(self, path: str) -> int:
        """Tell how often all of them together were asked something."""
        return sum(provider.asked[path] for provider in self.by_name.values())


def name_of(lie: Lie) -> str:
    """Give the name of the tenant that tells a lie."""
    return f"t_{lie.name.replace('-', '_')}"[:31]


@contextmanager
def tenants(names: Iterable[str]) -> Iterator[Tenants]:
    """Run a provider for each name, with a client of its own, until the block ends."""
    by_name = {name: HostileProvider(client_id=f"client-at-{name}") for name in names}
    let = Tenants(by_name=by_name)
    with answering(let.answer) as origin:
        for name, provider in by_name.items():
            provider.issuer = f"{origin}/{name}"
        yield let
