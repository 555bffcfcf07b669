"""Imports point one way, and lint fails otherwise: each contract is broken here on purpose."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers import ROOT

STRAYS = {
    "in_app": ("helpers.py", "- app.helpers\n"),
    "in_blueprints": ("blueprints/helpers.py", "- app.blueprints.helpers\n"),
}

BREACHES = {
    "a_model_imports_a_service": ("models/user.py", "app.services.sessions"),
    "an_error_imports_the_settings": ("errors.py", "app.config"),
    "the_settings_import_the_database": ("config/log.py", "app.database"),
    "a_service_imports_a_blueprint": ("services/tokens.py", "app.blueprints.guards"),
    "a_blueprint_imports_another": ("blueprints/auth/__init__.py", "app.blueprints.users"),
    "a_guard_imports_a_blueprint": ("blueprints/guards.py", "app.blueprints.system"),
    "a_service_imports_flask": ("services/sessions.py", "flask"),
    "a_unit_of_work_imports_werkzeug": ("transaction.py", "werkzeug"),
    "a_model_imports_flask_login": ("models/user.py", "flask_login"),
    "a_route_imports_sqlalchemy": ("blueprints/auth/__init__.py", "sqlalchemy"),
    "a_command_imports_sqlalchemy": ("cli/welcome.py", "sqlalchemy"),
    "a_service_imports_webauthn": ("services/sessions.py", "webauthn"),
    "a_route_imports_cbor2": ("blueprints/auth/__init__.py", "cbor2"),
    "a_service_imports_the_factory": ("services/sessions.py", "app"),
}


def copy_of_the_service(folder: Path) -> Path:
    shutil.copytree(ROOT / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    command = [str(program), "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = copy_of_the_service(tmp_path_factory.mktemp("breaches"))
    for module, imported in BREACHES.values():
        with (folder / "app" / module).open("a") as file:
            file.write(f"\nimport {imported}\n")
    done = lint_imports(folder)
    assert done.returncode == 1
    return done.stdout


def test_the_service_keeps_every_contract(tmp_path: Path) -> None:
    done = lint_imports(copy_of_the_service(tmp_path))

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("module", "complaint"), STRAYS.values(), ids=STRAYS.keys())
def test_a_module_without_a_place_is_refused(tmp_path: Path, module: str, complaint: str) -> None:
    folder = copy_of_the_service(tmp_path)
    (folder / "app" / module).write_text("VALUE = 1\n")

    done = lint_imports(folder)

    assert done.returncode == 1
    assert complaint in done.stdout


@pytest.mark.parametrize(("module", "imported"), BREACHES.values(), ids=BREACHES.keys())
def test_an_import_against_the_direction_is_refused(
    complaints: str, module: str, imported: str
) -> None:
    importer = module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    assert f"app.{importer} -> {imported} (" in complaints
