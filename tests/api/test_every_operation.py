"""Each operation of each family keeps these rules, whatever it does."""

import json

import pytest

from opendai.api.server import Server
from opendai.database import Database
from tests.api.operations import OPEN, READ_THEIR_TOKEN, Operation, every_operation
from tests.conftest import Person, Program
from tests.inprocess import TestClient
from tests.rows import count_rows

BAD_IDS = [
    "2147483648",
    "9223372036854775808",
    "99999999999999999999",
    "-1",
    "abc",
    "1.5",
    "%00",
    "%0A",
    "%ED%A0%80",
    "1_0",
]
BAD_BODIES = {
    "no JSON": b"{",
    "not UTF-8": b'{"name": "\xff"}',
    "a lone surrogate": (
        b'{"name": "\\ud800", "message": "\\ud800", "group": "shop", "modeljson": "\\ud800", '
        b'"username": "\\ud800"}'
    ),
    "NUL": (
        b'{"name": "a\\u0000b", "message": "a\\u0000b", "group": "a\\u0000b", "model_id": "a\\u0000", '
        b'"username": "a\\u0000"}'
    ),
    "NaN": b'{"target_coverage": NaN, "attempt": NaN, "first": NaN, "message": NaN, "name": NaN, "username": NaN}',
    "a number beyond 64 bits": b'{"attempt": 9223372036854775808, "name": 1, "message": 1, "username": 1, "group": 1}',
    "a number of 5,000 digits": b'{"attempt": ' + b"9" * 5000 + b', "name": 1, "message": 1, "username": 1}',
    "deep nesting": b"[" * 100_000,
    "a list": b"[1, 2]",
    "null": b"null",
}
# Everything in this body is optional, and unknown fields are ignored.
TAKES_ANY_OBJECT = {"/agent_service/api/v1/agents"}


@pytest.fixture
def operations(app: Server) -> list[Operation]:
    return list(every_operation(app))


@pytest.fixture(params=["admin", "lab"])
def someone(request: pytest.FixtureRequest, client: TestClient) -> Person:
    return request.getfixturevalue(request.param)


def test_every_route_names_a_policy_or_is_listed_as_open(app: Server) -> None:
    without = set()
    for family in app.families:
        for operation in family.operations:
            if operation.policy is None:
                without |= {(method, family.prefix + operation.path) for method in operation.methods or ()}
    assert without == OPEN | READ_THEIR_TOKEN


def test_no_operation_answers_without_a_token(client: TestClient, operations: list[Operation]) -> None:
    for operation in operations:
        if not operation.is_open:
            response = client.request(operation.method, operation.at("1"))
            assert response.status_code == 401, operation
            _assert_shape(operation, response)


@pytest.mark.parametrize(
    "header", ["Basic YTpi", "Bearer", "bearer  ", "Bearer x.y.z", "Bearer " + "a" * 9000]
)
def test_no_operation_answers_to_what_is_not_a_token(
    client: TestClient, operations: list[Operation], header: str
) -> None:
    is_a_token_that_is_refused = len(header.split()) == 2 and header.startswith("Bearer")
    for operation in operations:
        if not operation.is_open:
            response = client.request(operation.method, operation.at("1"), headers={"Authorization": header})
            # The published page answers 404 to whoever asks about a token that is not valid.
            is_about_tokens = operation.path == "/ai/auth" and is_a_token_that_is_refused
            assert response.status_code == (404 if is_about_tokens else 401), operation


def test_ids_that_cannot_be_are_refused_everywhere(
    client: TestClient, database: Database, operations: list[Operation], someone: Person
) -> None:
    before = count_rows(database)
    for operation in operations:
        if "{" not in operation.path:
            continue
        for bad in BAD_IDS:
            response = client.request(operation.method, operation.at(bad), headers=someone.bearer, json={})
            assert 400 <= response.status_code < 500, (operation, bad, response.text)
            _assert_shape(operation, response)
    assert count_rows(database) == before


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_bodies_that_cannot_be_are_refused_everywhere(
    client: TestClient, database: Database, operations: list[Operation], someone: Person, body: bytes
) -> None:
    before = count_rows(database)
    for operation in operations:
        if not operation.has_body or operation.path in TAKES_ANY_OBJECT:
            continue
        for kind in (
            "application/json",
            "application/x-www-form-urlencoded",
            "application/msgpack",
            "text/plain",
        ):
            response = client.request(
                operation.method,
                operation.at("1"),
                headers={**someone.bearer, "Content-Type": kind},
                content=body,
            )
            assert 400 <= response.status_code < 500, (operation, kind, response.text)
            _assert_shape(operation, response)
    assert count_rows(database) == before


def test_a_body_of_ten_megabytes_is_refused_where_none_is_expected(
    client: TestClient, database: Database, operations: list[Operation], admin: Person, lab: Program
) -> None:
    before = count_rows(database)
    for operation in operations:
        # The caller is settled first: someone who may not ask is told so, and the body is not even read.
        asking = lab if operation.path.startswith("/agent_service") else admin
        if operation.has_body and operation.path not in {
            "/ai/models",
            "/ai/models/{model_id}",
            "/ai/screenshots",
        }:
            response = client.request(
                operation.method,
                operation.at("1"),
                headers={**asking.bearer, "Content-Type": "application/json"},
                content=b'{"name": "' + b"x" * 10_000_000 + b'"}',
            )
            assert response.status_code == 413, (operation, response.text)
            _assert_shape(operation, response)
    assert count_rows(database) == before


def test_an_unknown_address_is_refused_in_the_shape_of_its_family(
    client: TestClient, app: Server, ci: Program
) -> None:
    for family in app.families:
        response = client.get(f"{family.prefix}/nowhere/at/all", headers=ci.bearer)
        assert response.status_code == 404
        _assert_shape(Operation("GET", family.prefix, has_body=False), response)


def _assert_shape(operation: Operation, response) -> None:
    body = response.json()
    family = operation.path.split("/")[1]
    if family in {"ai", "api_clients"}:
        assert set(body) <= {"message", "errors"}, body
        assert isinstance(body["message"], str)
        assert all(set(fault) == {"field", "problem"} for fault in body.get("errors", []))
    elif family == "auth":
        assert set(body) == {"error", "error_description"}, body
    elif operation.path.startswith("/api/rest"):
        assert isinstance(body["message"], str), body
        kinds = {"fieldValidationErrors", "actionValidationError"} if response.status_code == 412 else set()
        assert len(set(body) - {"message"}) == bool(kinds), body
        assert set(body) <= {"message", *kinds}, body
    elif response.status_code == 422:
        assert all(set(fault) == {"loc", "msg", "type"} for fault in body["detail"]), body
    elif family == "api":
        assert set(body) == {"type", "title", "status", "detail"}, body
        assert body["status"] == response.status_code
    else:
        assert isinstance(body["detail"], str), body
    text = json.dumps(body)
    assert "Traceback" not in text
    assert "sqlalchemy" not in text.lower()
    assert len(text) < 10_000
