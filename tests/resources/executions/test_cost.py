"""The calls of agents cost the same however long the history is, and write no more than they must."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select, update

from opendai import tables
from opendai.database import Database, database_clock
from tests.arranging.walking import ANY_AGENT, HandAgent, start, step
from tests.conftest import MakeProgram, Person
from tests.inprocess import TestClient

KEY = "6f0c2f2e-0000-4000-8000-000000000001"


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """The statements that the database runs in the meantime, with their parameters."""
    found: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        found.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def connected_seconds(database: Database) -> float:
    with database.reading() as session:
        return session.scalars(select(tables.Agent.connected_until - database_clock())).one()


def test_claiming_does_not_read_the_history(
    client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent, database: Database
) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL chooses its indexes by its statistics")
    start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    with statements(database) as ran:
        assert agent.claim(claim_key=KEY).status_code == 200
        assert agent.claim(claim_key=KEY).status_code == 200
    asked = [(sql, given) for sql, given in ran if "runs" in sql and not sql.startswith("INSERT")]
    with database.reading() as session:
        connection = session.connection()
        plans = [
            row[3]
            for sql, given in asked
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given).all()
        ]
    assert any("ix_runs_status_id" in line for line in plans)
    history = ("ix_runs_version_id", "ix_runs_agent_id", "SCAN runs")
    assert [line for line in plans if any(way in line for way in history)] == []


def test_agents_that_wait_are_served_by_one_look_at_a_time(
    client: TestClient, alice: Person, clinic: dict[str, Any], make_program: MakeProgram, database: Database
) -> None:
    agents = [HandAgent(client, make_program(f"lab-{number}", "agent")) for number in range(5)]
    with statements(database) as ran, ThreadPoolExecutor(len(agents)) as threads:
        claims = [threads.submit(agent.claim, wait_seconds=1.5) for agent in agents]
        time.sleep(0.6)
        start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
        answers = sorted(claim.result().status_code for claim in claims)
    assert answers == [200, 204, 204, 204, 204]
    assert 2 <= sum("GROUP BY runs.wanted_agent_id" in sql for sql, _ in ran) <= 8


def test_a_report_is_one_update_of_the_run(agent: HandAgent, run: dict[str, Any], database: Database) -> None:
    with statements(database) as ran:
        assert agent.report(1, [step(1)]).json()["last"] == 1
    writes = [sql.split()[:3] for sql, _ in ran if sql.startswith(("UPDATE", "INSERT", "DELETE"))]
    assert [words[1] if words[0] == "UPDATE" else words[2] for words in writes] == ["runs", "timings"]


def test_an_agent_is_written_down_as_connected_once_in_a_third_of_the_time(
    agent: HandAgent, run: dict[str, Any], database: Database
) -> None:
    for left, expected in ((4.2, 4.2), (2.8, 5.0)):
        with database.writing() as session:
            session.execute(update(tables.Agent).values(connected_until=database_clock() + left))
        agent.heartbeat(1)
        assert connected_seconds(database) == pytest.approx(expected, abs=0.5)


def test_an_agent_that_left_counts_as_connected_with_its_next_report(
    agent: HandAgent, run: dict[str, Any], database: Database
) -> None:
    agent.post("/agents/disconnect", {})
    assert connected_seconds(database) < 0
    agent.heartbeat(1)
    assert connected_seconds(database) > 4


def test_only_the_new_part_of_a_batch_is_stored(
    agent: HandAgent, run: dict[str, Any], database: Database
) -> None:
    agent.report(1, [step(1), step(2)])
    assert agent.report(1, [step(2), step(3)], first=2).json()["last"] == 3
    assert agent.report(1, [step(3)], first=3).json()["last"] == 3
    with database.reading() as session:
        positions = session.scalars(select(tables.Timing.position).order_by(tables.Timing.position))
        assert positions.all() == [1, 2, 3]
        assert session.scalars(select(tables.Run.steps)).one() == 3
