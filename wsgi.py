"""What servers serve: ``gunicorn wsgi:app`` the service, ``flask gate`` the session gate alone."""

import sys
from collections.abc import Callable

from app import create_gate, create_service
from app.config import Settings, load_settings
from app.errors import SettingsError

_MAKERS: dict[str, Callable[[Settings], object]] = {"app": create_service, "gate": create_gate}


def __getattr__(name: str) -> object:
    """Make what is asked for, when a server asks for it."""
    if name not in _MAKERS:
        raise AttributeError(name)
    try:
        made = _MAKERS[name](load_settings())
    except SettingsError as error:
        sys.exit(str(error))
    globals()[name] = made
    return made
