"""The OpenAPI pages of the families: valid, complete, true to what is answered, and readable without a network."""

import re
from typing import Any

import hypothesis
import msgpack
import pytest
import requests
import schemathesis
from fastapi.openapi.models import OpenAPI
from hypothesis import strategies
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from opendai.api.server import Server
from tests.api.operations import OPEN, every_operation
from tests.arranging.walking import png
from tests.contract.world import World
from tests.inprocess import TestClient

FAMILIES = [
    "/ai",
    "/execution_service/api/v1",
    "/agent_service/api/v1",
    "/auth",
    "/api/rest/latest",
    "/api_clients",
    "/api/v2",
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


_ANYTHING = (
    strategies.none() | strategies.integers(-(2**63), 2**64 - 1) | strategies.text() | strategies.binary()
)
schemathesis.openapi.media_type(
    "application/msgpack",
    strategies.fixed_dictionaries(
        {"run_id": strategies.just(1) | _ANYTHING, "image": strategies.just(png()) | _ANYTHING},
        optional={"attempt": _ANYTHING, "artifact_id": _ANYTHING, "name": _ANYTHING, "timestamp": _ANYTHING},
    ).map(msgpack.packb),
)


@pytest.fixture(params=FAMILIES)
def prefix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def document(client: TestClient, prefix: str) -> dict[str, Any]:
    response = client.get(f"{prefix}/openapi.json")
    assert response.status_code == 200
    page: dict[str, Any] = response.json()
    return page


def operations_of(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        here = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return here.union(*(references(inner) for inner in part.values()))
    return set().union(*(references(inner) for inner in part)) if isinstance(part, list) else set()


def test_every_family_has_a_page(app: Server) -> None:
    assert [family.prefix for family in app.families] == FAMILIES


def test_the_document_is_valid(document: dict[str, Any], prefix: str) -> None:
    OpenAPI.model_validate(document)
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": prefix}]
    schemas = {f"#/components/schemas/{name}" for name in document["components"].get("schemas", {})}
    assert references(document) <= schemas
    identities = [operation["operationId"] for _, _, operation in operations_of(document)]
    assert len(identities) == len(set(identities))


def test_every_operation_says_that_it_needs_a_token(document: dict[str, Any], prefix: str) -> None:
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for method, path, operation in operations_of(document):
        expected: list[Any] = [] if (method, prefix + path) in OPEN else [{"bearer": []}]
        assert operation.get("security", []) == expected, (method, path)


def test_every_operation_is_explained(document: dict[str, Any]) -> None:
    for method, path, operation in operations_of(document):
        assert operation["description"].endswith("."), (method, path)
        assert operation["tags"], (method, path)


def test_every_refusal_has_a_meaning_and_a_body(document: dict[str, Any]) -> None:
    for method, path, operation in operations_of(document):
        for status, answer in operation["responses"].items():
            assert answer["description"], (method, path, status)
            if int(status) >= 400:
                ((kind, body),) = answer["content"].items()
                expected = {"application/json": "object", "text/html": "string"}
                assert body["schema"]["type"] == expected[kind], (method, path, status)


def test_every_answer_in_json_is_shown_by_an_example(document: dict[str, Any]) -> None:
    for method, path, operation in operations_of(document):
        success = next(answer for status, answer in operation["responses"].items() if int(status) < 400)
        body = success.get("content", {}).get("application/json")
        assert body is None or "example" in body, (method, path)


def test_the_page_for_people_needs_no_other_host_and_no_script(client: TestClient, prefix: str) -> None:
    response = client.get(f"{prefix}/docs")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert re.findall(r"(?:src|href|action)=(?!\"(?:#|/[^/]))", response.text) == []
    assert re.findall(r"<(?:script|link|img|iframe|form)|url\(|@import|javascript:", response.text) == []


def test_the_page_for_people_shows_every_operation(app: Server, client: TestClient, prefix: str) -> None:
    page = client.get(f"{prefix}/docs").text
    assert page.startswith('<!doctype html><html lang="en">')
    assert page.count("<h1>") == 1
    assert f'href="{prefix}/openapi.json"' in page
    for operation in every_operation(app):
        if operation.path.startswith(f"{prefix}/"):
            assert f"<code>{operation.method} {operation.path}</code>" in page


def test_the_page_for_people_escapes_what_it_shows(client: TestClient) -> None:
    page = client.get("/ai/docs").text
    assert "State \\&quot;Basket\\&quot;" in page  # A test case, as an example shows it.
    assert 'State \\"Basket' not in page


def fuzz(world: World, prefix: str, bearer: dict[str, str]) -> None:
    """Ask every operation of a family for things that exist, for random things, and for impossible things."""
    schema = schemathesis.openapi.from_dict(world.client.get(f"{prefix}/openapi.json").json())
    found: Any
    for found in schema.get_all_operations():
        operation = found.ok()
        known = {parameter.name: "1" for parameter in operation.path_parameters}
        # A deleted thing could not be asked for any more.
        if known and operation.method != "delete":
            strategy = operation.as_strategy(path_parameters=known)
            _fuzz_operation(world.client, strategy, bearer, prefix=prefix)
        has_input = known or operation.query or operation.body
        for mode in GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if has_input else []):
            strategy = operation.as_strategy(generation_mode=mode)
            _fuzz_operation(world.client, strategy, bearer, prefix=prefix)


def _fuzz_operation(client: TestClient, strategy: Any, bearer: dict[str, str], *, prefix: str) -> None:
    @hypothesis.given(case=strategy)
    @hypothesis.settings(
        max_examples=5,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    def ask(case: Any) -> None:
        if isinstance(case.body, dict) and case.path.endswith("/claims"):
            case.body["wait_seconds"] = 0  # Otherwise it waits half a minute for a run to come.
        request: Any = requests.Request(
            **case.as_transport_kwargs(base_url=f"http://testserver{prefix}")
        ).prepare()
        headers = {**request.headers, **bearer}
        response = client.request(request.method, request.url, headers=headers, content=request.body or b"")
        case.validate_response(response, checks=CHECKS)

    ask()


@pytest.mark.slow
def test_generated_requests_are_answered_as_the_page_says(world: World, prefix: str) -> None:
    assert world.screenshot_id
    assert world.ai_server["id"] == 1
    caller = world.caller("lab" if prefix.startswith("/agent_service") else "admin")
    fuzz(world, prefix, caller.bearer)
