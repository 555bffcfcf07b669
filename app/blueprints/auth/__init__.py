"""Sign up, sign in, stay signed in."""

from app.blueprints.auth import credentials, recovery, sessions
from app.blueprints.auth.routes import blueprint

__all__ = ["blueprint", "credentials", "recovery", "sessions"]
