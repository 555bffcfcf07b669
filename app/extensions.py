"""The Flask extensions, created unbound; ``create_app`` binds them."""

from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

from app.models import Base

db = SQLAlchemy(metadata=Base.metadata)
migrate = Migrate(db=db, directory="migrations", compare_type=True, render_as_batch=True)
login_manager = LoginManager()
