"""Lost leases, and the fence of the attempt around everything that an agent reports."""

from typing import Any

from sqlalchemy import func, select, update

from opendai import tables
from opendai.database import Database, database_clock
from opendai.resources.executions.endings import expire_leases
from tests.arranging.walking import ANY_AGENT, EXECUTIONS, HandAgent, execution, start, step
from tests.conftest import MakeProgram, Person, Program
from tests.inprocess import TestClient


def lose_lease(database: Database) -> None:
    """As if the lease had run out, and the reaper had been by."""
    with database.writing() as session:
        session.execute(update(tables.Run).values(lease_ends=0))
        expire_leases(session, attempts=3)


def test_a_lost_lease_queues_the_run_again_and_fences_the_old_attempt(
    client: TestClient,
    make_program: MakeProgram,
    alice: Person,
    agent: HandAgent,
    run: dict[str, Any],
    database: Database,
) -> None:
    agent.report(1, [step(1)])
    lose_lease(database)
    assert execution(client, alice, run["execution_id"])["is_running"] is False
    assert client.get("/ai/runs/1", headers=alice.bearer).json()["teststatus"] == "INCOMPLETE"
    other = HandAgent(client, make_program("other", "agent"))
    assert other.take()["attempt"] == 2
    late = [
        agent.report(1, [step(2)], first=2),
        agent.heartbeat(1),
        agent.finish(1, last=1),
        agent.report(1, [step(1)], attempt=2),
        agent.screenshot(1, attempt=1),
        agent.screenshot(1, attempt=2),
    ]
    assert [response.status_code for response in late] == [409] * 6
    assert client.get("/ai/runs/1/timings", headers=alice.bearer).json() == []
    assert client.get("/ai/runs/1/screenshots", headers=alice.bearer).json()["total_count"] == 0
    assert other.report(1, [step(1)], attempt=2).json()["last"] == 1
    assert other.finish(1, attempt=2, last=1).json() == {"status": "PASSED"}


def test_after_three_attempts_the_run_is_an_error(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent, database: Database
) -> None:
    started = start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    for attempt in (1, 2, 3):
        assert agent.take()["attempt"] == attempt
        lose_lease(database)
    assert agent.claim().status_code == 204
    ended = execution(client, alice, started["id"])
    assert (ended["status"], ended["reason"]) == ("ERROR", "3 attempts ended without a report in time")
    with database.reading() as session:
        assert session.scalars(select(tables.ErrorEntry.message)).all() == [
            "Run 1: 3 attempts ended without a report in time."
        ]
    last = client.get("/ai/runlogs/1", headers=alice.bearer).json()["items"][-1]
    assert "3 attempts ended without a report in time" in last["message"]


def test_an_aborted_run_whose_agent_fell_silent_is_cancelled(
    client: TestClient, alice: Person, run: dict[str, Any], database: Database
) -> None:
    client.delete(f"{EXECUTIONS}/{run['execution_id']}", headers=alice.bearer)
    lose_lease(database)
    assert execution(client, alice, run["execution_id"])["status"] == "CANCELLED"


def test_a_report_keeps_the_lease(agent: HandAgent, run: dict[str, Any], database: Database) -> None:
    with database.writing() as session:
        session.execute(update(tables.Run).values(lease_ends=database_clock() + 2))
    assert agent.heartbeat(1).status_code == 200
    with database.reading() as session:
        assert (session.scalar(select(tables.Run.lease_ends - database_clock())) or 0) > 2


def test_another_agent_cannot_report_on_the_run(
    client: TestClient, make_program: MakeProgram, agent: HandAgent, run: dict[str, Any]
) -> None:
    other = HandAgent(client, make_program("other", "agent"))
    assert other.report(1, [step(1)]).status_code == 409
    assert other.finish(1).status_code == 409
    assert agent.report(9, []).status_code == 409


def test_deleting_an_agent_ends_what_waits_for_it(
    client: TestClient, alice: Person, admin: Person, clinic: dict[str, Any], agent: HandAgent
) -> None:
    started = start(client, alice, model_id=clinic["modeluuid"], agent={"agent_id": str(agent.id)})
    assert client.delete(f"/ai/agents/{agent.id}", headers=admin.bearer).status_code == 200
    ended = execution(client, alice, started["id"])
    assert (ended["status"], ended["reason"]) == ("ERROR", "the agent that it waited for was deleted")
    assert agent.claim().status_code == 404


def test_an_agents_client_may_do_nothing_else(
    client: TestClient, lab: Program, clinic: dict[str, Any]
) -> None:
    for method, path in (
        ("GET", "/ai/models"),
        ("GET", "/ai/runs"),
        ("GET", "/ai/testcases"),
        ("POST", "/ai/models"),
        ("POST", EXECUTIONS),
    ):
        body = {"name": "M", "group": "shop", "model_id": clinic["modeluuid"]}
        response = client.request(method, path, headers=lab.bearer, json=body)
        assert response.status_code == 403, path


def test_a_finished_run_counts_its_test_case_once(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent, database: Database
) -> None:
    start(client, alice, model_id=clinic["modeluuid"], test_case_id=2, agent=ANY_AGENT)
    claim = agent.take()
    assert claim["plan"]["kind"] == "directed"
    assert claim["plan"]["test_case"] == 'State "Veterinarians"'
    agent.report(1, [step(1)])
    for _ in range(2):
        agent.finish(1, last=1, status="FAILED")
    case = client.get("/ai/testcases", headers=alice.bearer).json()[1]
    assert (case["tests"], case["fails"]) == ("1", "1")
    with database.reading() as session:
        assert session.scalar(select(func.sum(tables.TransitionTotal.passes))) == 1
