"""Test config tasks as tests make, read and age them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from opendai import tables
from opendai.database import Database
from tests.arranging.hand_walks import walk
from tests.arranging.walking import ANY_AGENT, HandAgent, start
from tests.conftest import Person
from tests.inprocess import TestClient

TASKS = "/ai/testconfigtasks"
CONFIG = "0b0f9a52-6d0f-4d5e-8f0e-1f0c2f4f7a01"
OTHER_CONFIG = "0b0f9a52-6d0f-4d5e-8f0e-1f0c2f4f7a02"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def post(client: TestClient, person: Person, **fields: Any) -> Any:
    response = client.post(TASKS, headers=person.bearer, json={"runstatus": "PASSED", **fields})
    assert response.status_code == 200, response.text
    return response.json()


def get(client: TestClient, person: Person, path: str = "") -> Any:
    response = client.get(TASKS + path, headers=person.bearer)
    assert response.status_code == 200, response.text
    return response.json()


def age(database: Database, *newest_first: str) -> None:
    """Give tasks moments of creation a minute apart."""
    with database.writing() as session:
        for minutes, task_id in enumerate(newest_first):
            task = session.get_one(tables.Execution, task_id)
            task.created_at = datetime(2026, 11, 22, tzinfo=UTC) - timedelta(minutes=minutes)


def number_of_tasks(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count(tables.Execution.id))) or 0


def task_of_several_runs(
    client: TestClient,
    person: Person,
    model: dict[str, Any],
    agent: HandAgent,
    database: Database,
    statuses: list[str | None],
) -> str:
    """One task whose runs have these statuses, None for one that waits; all of one step but the last."""
    fields = {"model_id": model["modeluuid"], "sut": {"sut_id": "phone-1"}}
    runs = [
        walk(client, person, agent, status=status, **fields)
        if status
        else start(client, person, agent=ANY_AGENT, **fields)
        for status in statuses
    ]
    with database.writing() as session:
        for number, run in enumerate(runs, start=1):
            row = session.get_one(tables.Run, run["run_id"])
            row.execution_id = runs[0]["id"]
            row.config_step = 1 if number < len(runs) else 2
            if row.ended_at:
                row.started_at = row.ended_at - timedelta(seconds=1.5)
    return str(runs[0]["id"])
