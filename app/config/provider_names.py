"""Which identity providers there are, and that each variable of theirs is one that exists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from app.config.provider_kinds import READY_MADE_NAMES
from app.config.variables import Variables
from app.errors import SettingsError

NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
# Words of the paths beside /api/oauth/<name>.
RESERVED_NAMES = frozenset({"accounts", "providers"})
SUFFIXES = (
    "CLIENT_ID",
    "CLIENT_SECRET",
    "CLIENT_SECRET_FILE",
    "ISSUER",
    "KIND",
    "LABEL",
    "ICON",
    "SCOPES",
    "STORE_TOKENS",
    "ALLOW_PRIVATE",
    "CA_FILE",
    "AUTHORIZATION_ENDPOINT",
    "TOKEN_ENDPOINT",
    "USERINFO_ENDPOINT",
    "JWKS_URI",
    "REVOCATION_ENDPOINT",
    "EMAILS_ENDPOINT",
)
CLIENT_VARIABLE = re.compile(r"OAUTH_(?P<name>.+)_CLIENT_(?:ID|SECRET|SECRET_FILE)")


def prefix_of(name: str) -> str:
    return f"OAUTH_{name.upper()}"


def read_names(variables: Variables) -> tuple[str, ...]:
    """Return the names of the providers, in the order of their buttons.

    Where OAUTH_PROVIDERS is unset, those whose client is set: ready-made ones first. Raises
    SettingsError, also at a variable of theirs that does not exist.
    """
    chosen = variables.find_text("OAUTH_PROVIDERS")
    if variables.is_set("OAUTH_PROVIDER"):
        raise SettingsError("OAUTH_PROVIDER is unknown: write OAUTH_PROVIDERS, or unset it.")
    names = _found(variables) if chosen is None else _chosen(variables, chosen)
    shown = ", ".join(names) or "unset"
    default = "client ids" if names else "default"
    variables.note("OAUTH_PROVIDERS", shown, default if chosen is None else "environment")
    _refuse_unknown(variables, names)
    return names


def _found(variables: Variables) -> tuple[str, ...]:
    names = set()
    # A secret alone counts as well: an incomplete provider is refused, not passed over.
    for variable in variables.names_with("OAUTH_"):
        if client := CLIENT_VARIABLE.fullmatch(variable):
            name = client["name"].lower()
            if variable != variable.upper() or not _is_name(name):
                raise SettingsError(
                    f"{variable} is no variable of a possible provider: its name is at most 31 "
                    "letters, digits and underscores, all in upper case here."
                )
            names.add(name)
    for variable in variables.names_with("OAUTH_"):
        # Switching off is said by OAUTH_PROVIDERS; without it, this is a typing error.
        if any(_prefixes_of(variable)) and not _belongs(variable, names):
            raise SettingsError(
                f"{variable} is of no provider whose client id is set: correct its name, set the "
                "client id, or unset it."
            )
    first = [name for name in READY_MADE_NAMES if name in names]
    return (*first, *sorted(names.difference(first)))


def _belongs(variable: str, names: Iterable[str]) -> bool:
    return any(variable.startswith(f"{prefix_of(name)}_") for name in names)


def _chosen(variables: Variables, chosen: str) -> tuple[str, ...]:
    names = tuple(chosen.replace(",", " ").split())
    if not names or not all(map(_is_name, names)):
        raise SettingsError(
            "OAUTH_PROVIDERS must hold names of providers, such as github: at most 31 lower-case "
            "letters, digits and underscores each, separated by commas or blanks, and none of "
            f"{' and '.join(sorted(RESERVED_NAMES))}."
        )
    if len(set(names)) < len(names):
        raise SettingsError("OAUTH_PROVIDERS holds a name twice: remove one of the two.")
    for number, name in enumerate(names, start=1):
        # Said without the name: it may be a secret pasted into the wrong variable.
        if name not in READY_MADE_NAMES and not variables.names_with(f"{prefix_of(name)}_"):
            raise SettingsError(
                f"OAUTH_PROVIDERS names a provider (number {number} in it) for which nothing else "
                "is set: correct the name, or set its OAUTH_<NAME>_CLIENT_ID, _CLIENT_SECRET and "
                "_ISSUER."
            )
    return names


def _is_name(name: str) -> bool:
    return NAME.fullmatch(name) is not None and name not in RESERVED_NAMES


def _refuse_unknown(variables: Variables, names: Iterable[str]) -> None:
    prefixes = {f"{prefix_of(name)}_" for name in names}
    for prefix in sorted(prefixes):
        for variable in variables.names_with(prefix):
            # Of school, or of school_b beside it, be that one in use or switched off.
            if not any(
                other in prefixes or variables.is_set(f"{other}CLIENT_ID")
                for other in _prefixes_of(variable)
            ):
                raise SettingsError(f"{variable} is unknown: {_advice(variable, prefix)}.")


def _prefixes_of(variable: str) -> Iterator[str]:
    """Yield whatever it may be a variable of: a name may end in words of the suffixes."""
    for suffix in SUFFIXES:
        if variable.endswith(f"_{suffix}"):
            yield variable.removesuffix(suffix)


def _advice(variable: str, prefix: str) -> str:
    for suffix in get_close_matches(variable.removeprefix(prefix), SUFFIXES, n=1):
        return f"write {prefix}{suffix}, or unset it"
    return "correct its name (docs/configuration.md lists all there are), or unset it"
