"""The service, for gunicorn: ``gunicorn wsgi:app``."""

import sys

from app import create_service
from app.config import load_settings
from app.errors import SettingsError

try:
    app = create_service(load_settings())
except SettingsError as error:
    sys.exit(str(error))
