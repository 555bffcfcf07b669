"""The reference tells the truth: valid, complete, and every answer is as it says."""

import re
import tomllib
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import TestResponse

from app.identifiers import new_id
from tests.support.authenticator import Json
from tests.support.clients import Browser
from tests.support.people import json_of, sign_up
from tests.support.servers import ROOT
from tests.support.story import tell_story

OUTSIDE = {"/openapi.json", "/docs"}
"""Not of the API: what describes it."""


@pytest.fixture
def document(client: Browser) -> Json:
    return json_of(client.get("/openapi.json"))


def rules(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Give path template, method and endpoint of everything that is for programs."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(("/api/", "/healthz", "/readyz")):
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
                yield path, method.lower(), rule.endpoint


def test_version_is_the_projects(document: Json) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert document["info"]["version"] == project["version"]


def operations(document: Json) -> dict[str, Json]:
    return {
        operation["operationId"]: operation
        for methods in document["paths"].values()
        for operation in methods.values()
    }


def faults(document: Json, schema: Json, value: object) -> list[str]:
    validator = OAS31Validator({**schema, "components": document["components"]})
    return [fault.message for fault in validator.iter_errors(value)]


def faults_of_answer(document: Json, operation: Json, answer: TestResponse) -> list[str]:
    """Tell in what an answer differs from what its operation declares."""
    declared = operation["responses"].get(str(answer.status_code))
    if declared is None:
        return [f"{answer.status_code} is not declared"]
    content = declared.get("content", {})
    if not content:
        return [f"a body: {answer.text}"] if answer.data else []
    if answer.mimetype not in content:
        return [f"{answer.mimetype} is not declared"]
    is_page = answer.mimetype == "text/html"
    value = answer.text if is_page else answer.get_json(force=True)
    return faults(document, content[answer.mimetype]["schema"], value)


def test_document_is_valid_openapi_31(document: Json) -> None:
    assert document["openapi"].startswith("3.1.")
    assert [str(fault) for fault in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_invalid_document_would_be_found(document: Json) -> None:
    del document["paths"]["/api/auth/sessions/{id}"]["delete"]["parameters"]

    assert list(OpenAPIV31SpecValidator(document).iter_errors())


def test_document_has_every_operation_and_no_other(app: Flask, document: Json) -> None:
    described = {
        (path, method, operation["operationId"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }

    assert described == {
        (path, method, name.partition(".")[2]) for path, method, name in rules(app)
    }
    assert OUTSIDE.isdisjoint(document["paths"])


def test_every_operation_has_a_summary_and_names_its_guard(document: Json) -> None:
    for name, operation in operations(document).items():
        assert re.fullmatch(r"[A-Z].{6,}[.]", operation["summary"]), name
        public = operation["x-guard"] == "public"
        assert operation["security"] == ([] if public else [{"session": []}]), name


def test_every_answer_of_a_session_is_as_declared(
    new_client: Callable[[], Browser], document: Json
) -> None:
    described = operations(document)
    seen = set()

    for label, answer in tell_story(new_client):
        name = label.partition(" ")[0].partition(".")[2]
        if name in described:
            assert faults_of_answer(document, described[name], answer) == [], (label, answer.text)
            assert answer.request.method.lower() in {*document["paths"][path_of(document, name)]}
            seen.add(name)

    assert seen == set(described)


def path_of(document: Json, name: str) -> str:
    (path,) = (
        path
        for path, methods in document["paths"].items()
        if name in {operation["operationId"] for operation in methods.values()}
    )
    return str(path)


def test_every_refusal_of_an_empty_or_anonymous_call_is_as_declared(
    app: Flask, document: Json, client: Browser, new_client: Callable[[], Browser]
) -> None:
    described = operations(document)
    sign_up(client)
    statuses = set()

    for browser in (new_client(), client):
        # Signing out comes last, or the rest would be anonymous.
        for path, method, endpoint in sorted(rules(app), key=lambda rule: "sign_out" in rule[2]):
            answer = browser.open(path.replace("{id}", new_id()), method=method, json={"odd": 1})
            operation = described[endpoint.partition(".")[2]]
            assert faults_of_answer(document, operation, answer) == [], (path, answer.text)
            statuses.add(answer.status_code)

    assert {401, 422} < statuses


def test_answer_that_differs_would_be_found(document: Json, client: Browser) -> None:
    operation = operations(document)["get_session"]
    sign_up(client)
    answer = client.get("/api/auth/session")
    wrong = client.get("/api/auth/session")
    wrong.set_data(answer.text.replace('"email"', '"e-mail"'))
    other = client.get("/api/users/me")

    assert faults_of_answer(document, operation, answer) == []
    assert faults_of_answer(document, operation, wrong) == ["'email' is a required property"]
    assert faults_of_answer(document, operation, other) != []
