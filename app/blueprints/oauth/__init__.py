"""Sign in with an outside account, and link one."""

from app.blueprints.oauth import accounts
from app.blueprints.oauth.routes import blueprint

__all__ = ["accounts", "blueprint"]
