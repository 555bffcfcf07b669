"""The pages that people see."""

from app.blueprints.pages.routes import blueprint

__all__ = ["blueprint"]
