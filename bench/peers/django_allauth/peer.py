"""Django with allauth. A check loads the session's row, verifies it, and loads the person's row."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
app = get_wsgi_application()
