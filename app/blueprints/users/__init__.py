"""People and their records."""

from app.blueprints.users.routes import blueprint

__all__ = ["blueprint"]
