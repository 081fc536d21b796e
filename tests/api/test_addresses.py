"""Addresses and methods, as clients write them."""

import pytest

from opendai.api.server import Server
from tests.conftest import Person
from tests.inprocess import TestClient


@pytest.mark.parametrize("path", ["/ai/agents/", "//ai/agents", "/ai//agents", "//ai///agents/"])
def test_slashes_too_many_are_forgiven(client: TestClient, admin: Person, path: str) -> None:
    response = client.get("http://testserver" + path, headers={**admin.bearer, "Host": "localhost:8000"})
    assert (response.status_code, response.json()) == (200, [])


def test_a_slash_that_is_part_of_an_id_is_kept(client: TestClient, admin: Person) -> None:
    response = client.get("/ai/assets/a//b", headers=admin.bearer)
    assert response.status_code == 404
    assert "a//b" in response.json()["message"]


def test_a_method_that_is_not_taken_is_answered_with_all_that_are(client: TestClient, admin: Person) -> None:
    for path, allowed in [
        ("/ai/models", "GET, HEAD, POST"),
        ("/ai/models/1", "DELETE, GET, HEAD, PUT"),
        ("/healthz", "GET, HEAD"),
        ("/execution_service/api/v1/executions", "POST"),
    ]:
        response = client.patch(path, headers=admin.bearer)
        assert (response.status_code, response.headers["Allow"]) == (405, allowed)


def test_head_is_answered_wherever_get_is(client: TestClient, app: Server, admin: Person) -> None:
    for path in ["/healthz", "/ai/ping", "/ai/agents", "/ai/openapi.json", "/ai/docs"]:
        asked, looked = client.get(path, headers=admin.bearer), client.head(path, headers=admin.bearer)
        assert (looked.status_code, looked.content) == (200, b"")
        assert looked.headers["content-type"] == asked.headers["content-type"]
    for family in app.families:
        for operation in family.operations:
            if "GET" in (operation.methods or ()):
                found = family.find("HEAD", operation.path)
                assert found is not None
                assert found.operation is operation


@pytest.mark.parametrize("name", ["Host", "Authorization", "Content-Type"])
def test_a_header_with_two_meanings_is_refused(client: TestClient, admin: Person, name: str) -> None:
    given = [(name, "localhost"), (name, "other.example"), *admin.bearer.items()]
    response = client.get("/ai/agents", headers=given)
    assert response.status_code == 400
    assert response.json() == {"message": f"The {name} header is given more than once."}
