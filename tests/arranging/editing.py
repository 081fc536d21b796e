"""Editing test cases over HTTP, and what a model looks like afterwards."""

from typing import Any

from sqlalchemy import select

from opendai import tables
from opendai.database import Database
from tests.conftest import Person
from tests.inprocess import TestClient

CASES = "/ai/models/1/testcases"
TEXT = 'State "HomePage", Action "e_FindOwners"'
NEW = {"testcaseName": "Look around", "testcase": TEXT}


def create_case(client: TestClient, person: Person, **fields: Any) -> Any:
    response = client.post(CASES, headers=person.bearer, json={**NEW, **fields})
    assert response.status_code == 200, response.text
    return response.json()


def change_case(client: TestClient, person: Person, number: int, **fields: Any) -> Any:
    response = client.put(f"{CASES}/{number}", headers=person.bearer, json=fields)
    assert response.status_code == 200, response.text
    return response.json()


def list_cases(client: TestClient, person: Person) -> list[Any]:
    response = client.get(CASES, headers=person.bearer)
    assert response.status_code == 200
    return response.json()


def model_text(client: TestClient, person: Person) -> str:
    return client.get("/ai/models/1", headers=person.bearer).json()["modeljson"]


def list_versions(database: Database) -> list[tuple[int, int]]:
    version = tables.ModelVersion
    with database.reading() as session:
        rows = session.execute(select(version.id, version.number).order_by(version.id))
        return [(row.id, row.number) for row in rows]
