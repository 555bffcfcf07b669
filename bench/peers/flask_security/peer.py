"""Flask-Security with Flask-SQLAlchemy, as its quick start shows them.

A check verifies the signature of Flask's session cookie and loads the person's row with the roles.
No session has a row.
"""

import os

from flask import Flask
from flask_security import Security, SQLAlchemyUserDatastore, auth_required, current_user
from flask_security.models import fsqla_v3 as fsqla
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()
fsqla.FsModels.set_db_info(db)


class Role(db.Model, fsqla.FsRoleMixin):
    pass


class User(db.Model, fsqla.FsUserMixin):
    pass


def create_app():
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=os.environ["BENCH_SECRET"],
        SECURITY_PASSWORD_SALT=os.environ["BENCH_SECRET"],
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{os.environ['BENCH_DATABASE']}",
        SQLALCHEMY_ENGINE_OPTIONS={"pool_pre_ping": True},
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_SAMESITE="strict",
        REMEMBER_COOKIE_SAMESITE="strict",
    )
    db.init_app(app)
    app.security = Security(app, SQLAlchemyUserDatastore(db, User, Role))

    @app.get("/session")
    @auth_required("session")
    def who():
        return {"id": current_user.id, "email": current_user.email, "name": current_user.username}

    return app


app = create_app()
