"""Sessions for applications on hosts of their own: handed over, shown, ended."""

from app.blueprints.handover import identity_host, signing_out
from app.blueprints.handover.routes import blueprint

__all__ = ["blueprint", "identity_host", "signing_out"]
