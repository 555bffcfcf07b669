"""Everything that it takes to speak to a provider."""

from app.config.oauth import ProviderSettings

from .github import GitHubProtocol
from .kept import Monotonic
from .limits import Limits
from .openid import OpenIDProtocol
from .outbound import Outbound
from .protocol import ProviderProtocol


def load_protocol(
    settings: ProviderSettings, limits: Limits, monotonic: Monotonic
) -> ProviderProtocol:
    """Return how this provider is spoken to."""
    outbound = Outbound(settings, limits)
    if settings.is_openid:
        return OpenIDProtocol(settings, outbound, monotonic=monotonic)
    return GitHubProtocol(settings, outbound)
