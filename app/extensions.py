"""The Flask extensions, created unbound; ``create_app`` binds them."""

from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy

from app.models import Base

db = SQLAlchemy(metadata=Base.metadata)
login_manager = LoginManager()
