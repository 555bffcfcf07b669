"""Health, and the reference of the API."""

from app.blueprints.system.routes import blueprint

__all__ = ["blueprint"]
