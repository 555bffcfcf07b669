"""Commands for whoever runs the service, grouped by noun."""

from flask import Flask

from app.cli.apps import apps_group
from app.cli.config import config_command
from app.cli.gate import gate_command
from app.cli.oauth import oauth_group
from app.cli.secrets import secrets_group
from app.cli.users import users_group
from app.cli.welcome import welcome_command


def register_commands(app: Flask) -> None:
    """Add the project's commands to ``flask``; ``create_command_app`` adds ``flask db``."""
    for command in (
        apps_group,
        config_command,
        gate_command,
        oauth_group,
        secrets_group,
        users_group,
        welcome_command,
    ):
        app.cli.add_command(command)
