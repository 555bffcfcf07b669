"""The providers that people may sign in with, by name."""

from collections.abc import Iterator, Mapping

from app.config.oauth import ProviderSettings

from .provider import IdentityProvider


class IdentityProviders(Mapping[str, IdentityProvider]):
    """In the order of the settings, which is that of the buttons; cheap to make."""

    def __init__(self, settings: tuple[ProviderSettings, ...]) -> None:
        self._providers = {each.name: IdentityProvider(each) for each in settings}

    def __getitem__(self, name: str) -> IdentityProvider:
        return self._providers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._providers)

    def __len__(self) -> int:
        return len(self._providers)
