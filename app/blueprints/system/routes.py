"""Is it up, is it ready, and what can it do."""

from typing import Any

from flask import Blueprint, Response, current_app, json, render_template
from pydantic import BaseModel

from app.blueprints import current
from app.blueprints.guards import Level, Unit, guard, operation
from app.blueprints.system.openapi import openapi_document
from app.errors import DatabaseUnavailable, NotFound, SchemaTooNew, SchemaTooOld
from app.extensions import db
from app.services.schema import require_fitting_schema

blueprint = Blueprint("system", __name__)

_DOCUMENT = "openapi document"


class Health(BaseModel):
    """That the service answers."""

    status: str


@blueprint.get("/healthz")
@operation(Level.PUBLIC, Unit.NONE, answer=Health)
def healthz() -> Health:
    """Tell that the process answers; asks nothing else."""
    return Health(status="ok")


@blueprint.get("/readyz")
@operation(
    Level.PUBLIC,
    Unit.READS,
    answer=Health,
    refusals=(DatabaseUnavailable, SchemaTooOld, SchemaTooNew),
)
def readyz() -> Health:
    """Tell that the database answers and has a schema that this release can serve on."""
    require_fitting_schema(db.session())
    return Health(status="ready")


@blueprint.get("/openapi.json")
@guard(Level.PUBLIC, Unit.NONE)
def openapi() -> Response:
    """Give the OpenAPI 3.1 document."""
    return Response(json.dumps(_document()), mimetype="application/json")


@blueprint.get("/docs")
@guard(Level.PUBLIC, Unit.NONE)
def docs() -> str:
    """Show the reference of the API as a page."""
    return render_template("docs.html", document=_document())


def _document() -> dict[str, Any]:
    settings = current.settings()
    if not settings.public_docs:
        raise NotFound
    if _DOCUMENT not in current_app.extensions:
        # Nothing in it changes while the process lives.
        current_app.extensions[_DOCUMENT] = openapi_document(
            current_app.url_map,
            current_app.view_functions,
            origin=settings.public_origin,
            session_cookie=settings.session_cookie,
        )
    document: dict[str, Any] = current_app.extensions[_DOCUMENT]
    return document
