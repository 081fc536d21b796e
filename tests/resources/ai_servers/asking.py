"""Requests that the tests of AI servers share: the address, a body, and how a server is made."""

from typing import Any

from sqlalchemy import select

from opendai import tables
from opendai.database import Database
from tests.conftest import Person
from tests.inprocess import TestClient

SERVERS = "/api/rest/latest/ai-servers"
GIVEN = {
    "name": "House model",
    "url": "https://llm.example/v1",
    "description": "Drafts test cases.",
    "payload_template": '{"content": "{{ requirement }}"}',
    "json_path": "choices[0].message.content",
}
TOKEN = "a-secret-of-the-provider"


def create(client: TestClient, admin: Person, **change: Any) -> dict[str, Any]:
    response = client.post(SERVERS, headers=admin.bearer, json={**GIVEN, **change})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def link(path: str) -> dict[str, Any]:
    return {"self": {"href": f"http://testserver{SERVERS}{path}"}}


def wrong(field: str, body: dict[str, Any]) -> dict[str, Any]:
    """The only field that a refusal names."""
    assert set(body) == {"fieldValidationErrors", "message"}
    [error] = body["fieldValidationErrors"]
    assert set(error) == {"objectName", "fieldName", "fieldValue", "errorMessage"}
    assert error["fieldName"] == field
    return dict(error)


def names(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(tables.AiServer.name).order_by(tables.AiServer.id)))
