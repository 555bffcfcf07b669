"""The OpenAPI 3.1 document, written from the declarations that check the requests."""

import inspect
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from werkzeug.routing import Map, Rule

from app.blueprints.guards import Level, Operation
from app.blueprints.schemas import Problem
from app.errors import (
    CookieRefused,
    CrossSiteRequest,
    DatabaseUnavailable,
    EnrolmentOnly,
    InvalidBody,
    MalformedRequest,
    NotSignedIn,
    ServiceError,
    StepUpRequired,
    UnsupportedContentType,
)
from app.statuses import status_of

VERSION = "0.1.0"

View = Callable[..., Any]
Json = dict[str, Any]
References = dict[Any, Json]

_REFERENCE = "#/components/schemas/{model}"
_PROBLEM: Json = {
    "application/problem+json": {"schema": {"$ref": _REFERENCE.format(model=Problem.__name__)}}
}
_PAGE: Json = {"text/html": {"schema": {"type": "string"}}}
"""How a refusal is told where a browser navigates, to a provider that there is."""
_BY_LEVEL: dict[Level, tuple[type[ServiceError], ...]] = {
    Level.PUBLIC: (),
    Level.SIGNED_IN: (NotSignedIn, EnrolmentOnly),
    Level.STEP_UP: (NotSignedIn, EnrolmentOnly, StepUpRequired),
    Level.ENROLMENT: (NotSignedIn, StepUpRequired),
}


def openapi_document(
    url_map: Map, views: Mapping[str, View], *, origin: str, session_cookie: str
) -> Json:
    """Write the document for all views that declare an operation."""
    operations = list(_operations(url_map, views))
    schemas, references = _schemas([operation for _, _, operation in operations])
    paths: dict[str, Json] = defaultdict(dict)
    for rule, view, operation in operations:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        method = next(iter((rule.methods or set()) - {"HEAD", "OPTIONS"})).lower()
        described = _describe(rule, view, operation, references)
        paths[path][method] = described | {"responses": _responses(view, method, references)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "openbadges-system",
            "version": VERSION,
            "description": "Accounts, passkeys, outside accounts and sessions.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": origin}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": session_cookie}
            },
        },
    }


def _operations(url_map: Map, views: Mapping[str, View]) -> Iterator[tuple[Rule, View, Operation]]:
    for rule in url_map.iter_rules():
        view = views[rule.endpoint]
        operation = getattr(view, "operation", None)
        if isinstance(operation, Operation):
            yield rule, view, operation


def _schemas(operations: list[Operation]) -> tuple[Json, References]:
    models: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, "serialization"): None}
    for operation in operations:
        if operation.body is not None:
            models[operation.body, "validation"] = None
        if operation.answer is not None:
            models[operation.answer, "serialization"] = None
    references, definitions = models_json_schema(list(models), ref_template=_REFERENCE)
    by_model = {model: schema for (model, _), schema in references.items()}
    return dict(sorted(definitions["$defs"].items())), by_model


def _describe(rule: Rule, view: View, operation: Operation, references: References) -> Json:
    level: Level = view.level  # type: ignore[attr-defined]
    described: Json = {
        "operationId": rule.endpoint.rpartition(".")[2],
        "summary": (inspect.getdoc(view) or "").partition("\n")[0],
        "tags": [rule.endpoint.partition(".")[0]],
        "x-guard": level.value,
        "security": [] if level is Level.PUBLIC else [{"session": []}],
    }
    parameters = [*_path_parameters(rule), *_query_parameters(operation.query)]
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {
            "required": bool(operation.body.model_json_schema().get("required")),
            "content": {"application/json": {"schema": references[operation.body]}},
        }
    return described


def _path_parameters(rule: Rule) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^{converter.regex}$"},
        }
        for name, converter in sorted(rule._converters.items())  # noqa: SLF001 - nothing else tells
    ]


def _query_parameters(query: type[BaseModel] | None) -> list[Json]:
    if query is None:
        return []
    described = query.model_json_schema()
    required = described.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in described["properties"].items()
    ]


def _responses(view: View, method: str, references: References) -> Json:
    operation: Operation = view.operation  # type: ignore[attr-defined]
    level: Level = view.level  # type: ignore[attr-defined]
    is_redirect = operation.status == HTTPStatus.SEE_OTHER
    done: Json = {"description": "On to where Location says" if is_redirect else "Done"}
    told = _PAGE | _PROBLEM if is_redirect else _PROBLEM
    if operation.answer is not None:
        done["content"] = {"application/json": {"schema": references[operation.answer]}}
    by_status: dict[int, list[type[ServiceError]]] = defaultdict(list)
    refusals = (*operation.refusals, *_BY_LEVEL[level], *_general(operation, method))
    for refusal in dict.fromkeys(refusals):
        by_status[status_of(refusal)].append(refusal)
    refused = {
        str(status): {
            "description": " ".join(f"`{one.code}`: {one.sentence}" for one in refusals),
            "content": told,
        }
        for status, refusals in sorted(by_status.items())
    }
    other = {"description": "Any other refusal", "content": told}
    return {str(operation.status): done, **refused, "default": other}


def _general(operation: Operation, method: str) -> Iterator[type[ServiceError]]:
    yield from (CookieRefused, DatabaseUnavailable)
    if method != "get":
        yield from (CrossSiteRequest, MalformedRequest, UnsupportedContentType, InvalidBody)
    if operation.query is not None:
        yield InvalidBody
