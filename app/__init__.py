"""openbadges-system: accounts, passkeys and sessions for every application behind one proxy."""

from click import ClickException
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app import cli, database
from app.blueprints import auth, handover, oauth, pages, system, users
from app.blueprints.baseline import register_baseline
from app.blueprints.bodies import LARGEST_BODY_BYTES
from app.boot import require_fitting_database, require_fitting_gate_database
from app.config import Settings, load_settings
from app.errors import SettingsError
from app.extensions import db, login_manager
from app.logs import configure_logging
from app.problems import register_problems
from app.session_gate import SessionGate
from app.transaction import limit_units


def create_app(settings: Settings) -> Flask:
    """Make the application. Commands need no more of the settings than they use."""
    configure_logging(settings.log)
    app = Flask(__name__)
    app.config.from_mapping(
        MAX_CONTENT_LENGTH=LARGEST_BODY_BYTES,
        # Flask-Login would take a cookie of this name for its own, whoever set it.
        REMEMBER_COOKIE_NAME=None,
        SQLALCHEMY_DATABASE_URI=settings.database.url,
        SQLALCHEMY_ENGINE_OPTIONS=database.engine_options(settings.database),
    )
    app.extensions["openbadges"] = settings

    db.init_app(app)
    with app.app_context():
        database.prepare_engine(db.engine, settings.database)
    # An error page must not ask the database who reads it.
    login_manager.init_app(app, add_context_processor=False)

    register_baseline(app)
    register_problems(app)
    for part in (auth, oauth, handover, users, system, pages):
        app.register_blueprint(part.blueprint)
    cli.register_commands(app)
    return app


def create_service(settings: Settings) -> Flask:
    """Make the application as it serves: every setting is there, and fits what is stored.

    Raises ``SettingsError``.
    """
    hops = settings.service.trusted_proxies
    app = create_app(settings)
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=0)  # type: ignore[method-assign]
    gate = SessionGate(settings, rest=app.wsgi_app)  # type: ignore[arg-type]
    app.wsgi_app = app.extensions["session_gate"] = gate  # type: ignore[method-assign]
    with app.app_context():
        try:
            require_fitting_database(settings)
        finally:
            # This process may fork the workers and never ask again: it keeps no connection.
            db.engine.dispose()
        limit_units(
            db.engine, threads=settings.service.threads, pool_size=settings.database.pool_size
        )
    return app


def create_gate(settings: Settings) -> SessionGate:
    """Make the session gate alone, for a process of its own. Raises ``SettingsError``."""
    configure_logging(settings.log)
    gate = SessionGate(settings)
    require_fitting_gate_database(settings)
    return gate


def create_command_app() -> Flask:
    """Make the application for the ``flask`` command."""
    # The running service starts without Alembic (docs/performance.md).
    from app.cli.db import migrate  # noqa: PLC0415

    try:
        app = create_app(load_settings())
    except SettingsError as error:
        raise ClickException(str(error)) from error
    migrate.init_app(app)
    return app
