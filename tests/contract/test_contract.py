"""Every published operation, asked as a client asks it. The tests are made from the contract and check themselves."""

from typing import Any

import pytest

from opendai.api.server import Server
from tests.contract import cases, everywhere, examples
from tests.contract.answers import Served, nullable_fields, served
from tests.contract.beside_ai import REQUESTS
from tests.contract.deviations import (
    EXTENSIONS,
    NOT_ANSWERED,
    NULLS,
    REMARKS,
    SHAPES,
    UNREAD,
    UNREAD_HERE,
    shape_of_success,
)
from tests.contract.published import NOTHING, fields_of, matches, operations
from tests.contract.registry import Case, refusals, successes
from tests.contract.shapes import problems
from tests.contract.world import World

assert cases.__all__  # Importing them registers the cases.
PUBLISHED = operations()
OFFERED = [*PUBLISHED, *EXTENSIONS]
LOGIN = "POST /ai/auth"


@pytest.fixture
def offered(app: Server) -> dict[str, Served]:
    return served(app, "/ai")


def send(case: Case, world: World) -> Any:
    response = case.ask(world, world.caller(case.by))
    request = response.request
    assert matches(case.operation, request.method, request.url.path), f"{request.url} is of another operation"
    return response


def items_of(body: Any) -> Any:
    """The items of an envelope or a list; otherwise the body."""
    return body["items"] if isinstance(body, dict) and "items" in body else body


def assert_refused(response: Any, status: int) -> None:
    assert response.status_code == status, response.text
    body = response.json()
    assert set(body) <= {"message", "errors"}
    assert isinstance(body["message"], str)
    assert all(set(fault) == {"field", "problem"} for fault in body.get("errors", []))


def test_the_contract_has_82_operations() -> None:
    assert len(PUBLISHED) == 82


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_operation_takes_what_is_published(name: str, offered: dict[str, Served]) -> None:
    published, ours = PUBLISHED[name], offered[name]
    assert set(published.parameters) <= ours.parameters
    if published.body and published.method != "DELETE":
        assert published.media_type in ours.media_types


@pytest.mark.parametrize("name", OFFERED)
def test_the_operation_works(name: str, world: World, offered: dict[str, Served]) -> None:
    response = send(successes[name], world)
    expected = PUBLISHED[name].success if name in PUBLISHED else 200
    assert response.status_code == expected, response.text
    shape = shape_of_success(name, PUBLISHED[name].shape if name in PUBLISHED else NOTHING)
    if expected in {204, 303}:
        assert response.content == b""
    elif shape == NOTHING:
        assert isinstance(response.json(), dict)
    else:
        assert list(problems(response.json(), shape, nulls=NULLS)) == []
        assert items_of(response.json()) != [], "an empty list shows nothing"
    examples.check(name, response)


@pytest.mark.parametrize(("name", "status"), refusals)
def test_the_refusal_is_as_documented(
    name: str, status: int, world: World, offered: dict[str, Served]
) -> None:
    assert name in offered  # Otherwise any address would do for a 404.
    assert_refused(send(refusals[name, status], world), status)


@pytest.mark.parametrize("name", OFFERED)
def test_refusals_that_all_operations_share(name: str, world: World, offered: dict[str, Served]) -> None:
    ours = offered[name]
    assert world.people
    before = world.rows()
    for status in sorted(ours.statuses):
        if status < 400 or (name, status) in refusals:
            continue
        ask = everywhere.provocation(ours.method, ours.path, status, has_body=ours.has_body)
        assert ask is not None, f"{name} answers {status}, and no case provokes it"
        response = ask(world, ours.method, ours.path)
        assert matches(name, response.request.method, response.request.url.path)
        assert_refused(response, status)
    assert world.rows() == before


def test_every_operation_has_a_success_case() -> None:
    assert set(successes) == set(OFFERED)


def test_the_application_serves_the_published_operations_and_the_listed_extensions(
    offered: dict[str, Served],
) -> None:
    assert set(offered) == set(OFFERED)


def test_every_published_status_is_answered_or_listed_with_a_reason(offered: dict[str, Served]) -> None:
    missing = {
        (name, status)
        for name, published in PUBLISHED.items()
        for status in published.statuses - offered[name].statuses
    }
    assert missing == set(NOT_ANSWERED)
    assert all(NOT_ANSWERED.values())


def test_every_refusal_case_is_of_a_status_that_the_application_names(offered: dict[str, Served]) -> None:
    assert [(name, status) for name, status in refusals if status not in offered[name].statuses] == []


def test_beyond_the_page_only_the_plain_statuses_are_answered(offered: dict[str, Served]) -> None:
    beyond = {
        status
        for name, published in PUBLISHED.items()
        for status in offered[name].statuses - published.statuses
    }
    assert beyond <= {400, 401, 402, 403, 404, 409, 413, 429}


def test_fields_are_null_where_a_deviation_says_so_and_nowhere_else(offered: dict[str, Served]) -> None:
    nullable = set()
    for name, published in PUBLISHED.items():
        shape = shape_of_success(name, published.shape)
        schema = offered[name].answer_schema(published.success)
        if shape != NOTHING and schema is not None:
            nullable |= set(nullable_fields(offered[name], shape, schema))
    assert nullable == set(NULLS)


def test_every_published_field_of_a_body_is_read_or_listed_with_a_reason(offered: dict[str, Served]) -> None:
    unread = set()
    for name, published in PUBLISHED.items():
        if published.method == "DELETE":  # No body is: the path decides.
            continue
        read = offered[name].body_fields() if offered[name].has_body else set()
        unread |= {(name, field.name) for field in published.body if field.name not in read}
        assert not read & set(UNREAD), name
    assert set(UNREAD_HERE) <= unread
    assert {field for _, field in unread - set(UNREAD_HERE)} == set(UNREAD)


def test_every_deviation_is_of_something_published() -> None:
    shapes = [shape_of_success(name, published.shape) for name, published in PUBLISHED.items()]
    fields = {f"{schema}.{field}" for shape in shapes for schema, field, _ in fields_of(shape)}
    assert set(NULLS) <= fields
    assert set(SHAPES) <= set(OFFERED)
    assert set(REMARKS) <= set(OFFERED)
    assert not set(EXTENSIONS) & set(PUBLISHED)


def test_every_example_is_of_an_operation() -> None:
    assert set(examples.written()) == {*OFFERED, *REQUESTS}
