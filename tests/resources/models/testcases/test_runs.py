"""Test cases and their runs."""

from typing import Any

import pytest
from sqlalchemy import select

from opendai import tables
from opendai.database import Database
from tests.arranging.editing import CASES, change_case, list_cases
from tests.arranging.models import create_model
from tests.arranging.walking import HandAgent, start, wait_for_end
from tests.conftest import Person, Program
from tests.inprocess import TestClient


@pytest.fixture(autouse=True)
def model(client: TestClient, alice: Person, samples: dict[str, str]) -> Any:
    return create_model(client, alice, samples["petclinic"])


def test_runs_are_counted_and_named_newest_first_and_editing_keeps_the_coverage(
    client: TestClient, alice: Person, model: Any, lab: Program
) -> None:
    for _ in range(2):
        started = start(client, alice, model_id=model["modeluuid"], test_case_id=1)
        assert wait_for_end(client, alice, started["id"])["status"] == "PASSED"
    agent = HandAgent(client, lab)
    wanted = {"agent_id": str(agent.id), "is_hosted_agent": False}
    start(client, alice, model_id=model["modeluuid"], test_case_id=1, agent=wanted)
    case = client.get(f"{CASES}/1", headers=alice.bearer).json()
    assert (case["tests"], case["fails"], case["testIds"]) == ("2", "0", "2,1")
    coverage = client.get("/ai/models/1/coverage", headers=alice.bearer).json()
    assert float(coverage["coverage"]) > 0
    changed = change_case(client, alice, 1, testcase='State "HomePage"')
    assert changed == {**case, "testcase": 'State "HomePage"'}
    after = client.get("/ai/models/1/coverage", headers=alice.bearer).json()
    assert after == {**coverage, "date": after["date"]}
    # A run that was started before keeps the text that it was started with.
    assert agent.take()["plan"]["test_case"] == 'State "FindOwners", State "OwnerInformation"'
    agent.finish(3, status="FAILED")
    ended = client.get(f"{CASES}/1", headers=alice.bearer).json()
    assert ended == {**changed, "tests": "3", "fails": "1", "testIds": "3,2,1"}


def test_deleting_a_test_case_keeps_its_runs(
    client: TestClient, alice: Person, model: Any, lab: Program
) -> None:
    agent = HandAgent(client, lab)
    wanted = {"agent_id": str(agent.id), "is_hosted_agent": False}
    start(client, alice, model_id=model["modeluuid"], test_case_id=1, agent=wanted)
    agent.take()
    assert client.delete(f"{CASES}/1", headers=alice.bearer).status_code == 200
    assert agent.finish(1).status_code == 200
    run = client.get("/ai/runs/1", headers=alice.bearer).json()
    assert (run["teststatus"], run["testcase"]) == ("PASSED", "Find an owner")


def test_at_most_a_hundred_runs_are_named(client: TestClient, alice: Person, database: Database) -> None:
    with database.writing() as session:
        session.add(tables.Execution(id="0", started_by="alice"))
        session.flush()
        moment = session.scalars(select(tables.Model.created_at)).one()
        for number in range(105):
            session.add(
                tables.Run(
                    execution_id="0",
                    model_id=1,
                    version_id=1,
                    group_id=session.scalars(select(tables.Model.group_id)).one(),
                    model_name="PetClinic",
                    status="PASSED",
                    generator="directed",
                    seed=1,
                    step_limit=1,
                    walker="server",
                    test_case_id=1 + (number == 104),
                    ended_at=moment,
                )
            )
    first, second = list_cases(client, alice)
    assert first["testIds"].split(",") == [str(number) for number in range(104, 4, -1)]
    assert second["testIds"] == "105"
