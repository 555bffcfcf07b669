"""Identity providers, and the only package that knows the libraries for OAuth and HTTP clients.

`IdentityProvider` begins and finishes a sign-in in the words of OAuth 2.0 and OpenID Connect. It
makes every check that these require of a client, reaches providers only as their settings allow,
and raises GrantInvalid, IdentityRejected or ProviderUnavailable for whatever does not hold.
"""

from .limits import Limits
from .provider import IdentityProvider
from .providers import IdentityProviders
from .values import ExternalIdentity, Finding, ProviderTokens, RedeemedCode

__all__ = [
    "ExternalIdentity",
    "Finding",
    "IdentityProvider",
    "IdentityProviders",
    "Limits",
    "ProviderTokens",
    "RedeemedCode",
]
