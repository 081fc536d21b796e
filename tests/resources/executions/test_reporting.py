"""The agents' protocol: events, heartbeats, and how a run ends."""

from typing import Any

import pytest
from sqlalchemy import select

from opendai import tables
from opendai.database import Database
from tests.arranging.racing import at_once
from tests.arranging.walking import HandAgent, log, step
from tests.conftest import Person
from tests.inprocess import TestClient


def test_events_become_timings_and_log_lines(
    client: TestClient, alice: Person, agent: HandAgent, run: dict[str, Any]
) -> None:
    events = [
        step(1, seconds=1.25),
        log(
            "Browser is up",
            severity="WARNING",
            time="2026-11-22T09:30:01.360+00:00",
            step=1,
            image_name="a.png",
        ),
        step(2, "HomePage", "e_FindOwners", passed=False, message="no such button"),
    ]
    assert agent.report(1, events).json() == {"last": 3, "abort": False, "lease_seconds": 5}
    assert client.get("/ai/runs/1/timings", headers=alice.bearer).json() == [
        {"order": 1, "state": "Initial", "action": "e_StartBrowser", "timing": 1.25},
        {"order": 2, "state": "HomePage", "action": "e_FindOwners", "timing": 0.25},
    ]
    line = client.get("/ai/runlogs/1", headers=alice.bearer).json()["items"][1]
    assert line == {
        "id": 2,
        "eventtime": "2026-11-22T09:30:01.360000+00:00",
        "testrunid": 1,
        "message": "Browser is up",
        "severity": "WARNING",
        "step_id": 1,
        "stage": None,
        "message_type": None,
        "image_name": "a.png",
        "image_id": None,
    }


def test_a_batch_that_comes_twice_or_overlaps_is_stored_once(
    client: TestClient, alice: Person, agent: HandAgent, run: dict[str, Any]
) -> None:
    batch = [step(1), log("one")]
    for _ in range(2):
        assert agent.report(1, batch).json()["last"] == 2
    assert agent.report(1, [log("one"), step(2, "HomePage", "e_FindOwners")], first=2).json()["last"] == 3
    assert agent.report(1, [], first=4).json()["last"] == 3
    assert len(client.get("/ai/runs/1/timings", headers=alice.bearer).json()) == 2
    assert client.get("/ai/runlogs/1", headers=alice.bearer).json()["total_count"] == 2


def test_a_gap_is_refused_and_the_next_number_is_said(agent: HandAgent, run: dict[str, Any]) -> None:
    response = agent.report(1, [step(1)], first=2)
    assert response.status_code == 409
    assert response.json() == {"detail": "The next event of run 1 is number 1."}


@pytest.mark.parametrize(
    "event",
    [
        step(2),
        step(1, phase="dream"),
        step(1, seconds=-1),
        step(1, state="x" * 256),
        {"type": "dance"},
        {"type": "log"},
        log("x", severity="LOUD"),
        log("x", time="yesterday"),
        log("x", time="0001-01-01T00:00:00Z"),
        log("x", step=2**31),
    ],
)
def test_an_event_that_cannot_be_is_refused_with_its_whole_batch(
    client: TestClient, alice: Person, agent: HandAgent, run: dict[str, Any], event: dict[str, Any]
) -> None:
    assert agent.report(1, [log("fine"), event]).status_code == 422
    assert agent.heartbeat(1).json()["last"] == 0
    assert client.get("/ai/runlogs/1", headers=alice.bearer).json()["total_count"] == 1


def test_more_than_five_hundred_events_are_refused(agent: HandAgent, run: dict[str, Any]) -> None:
    assert agent.report(1, [log("x")] * 501).status_code == 422
    assert agent.report(1, [log("x")] * 500).status_code == 200


def test_finishing_gives_the_run_its_status_and_coverage(
    client: TestClient, alice: Person, agent: HandAgent, run: dict[str, Any], database: Database
) -> None:
    agent.report(1, [step(1), step(2, "HomePage", "e_FindOwners", passed=False, message="no such button")])
    ending: dict[str, Any] = {
        "status": "FAILED",
        "reason": "a step failed",
        "failed_state": "HomePage",
        "failed_action": "e_FindOwners",
    }
    for _ in range(2):
        assert agent.finish(1, last=2, **ending).json() == {"status": "FAILED"}
    body = client.get("/ai/runs/1", headers=alice.bearer).json()
    assert (body["teststatus"], body["failedaction"]) == ("FAILED", "e_FindOwners")
    assert 0 < body["coverage"] < 0.2
    assert body["endtime"] >= body["starttime"]
    coverage = client.get("/ai/models/1/coverage", headers=alice.bearer).json()
    assert (coverage["testCount"], coverage["passCount"], coverage["failCount"]) == ("1", "0", "1")
    with database.reading() as session:
        totals = session.execute(
            select(tables.TransitionTotal.action, tables.TransitionTotal.passes, tables.TransitionTotal.fails)
        ).all()
    assert sorted(totals) == [("e_FindOwners", 0, 1), ("e_StartBrowser", 1, 0)]


def test_finishing_before_every_event_is_there_is_refused(agent: HandAgent, run: dict[str, Any]) -> None:
    agent.report(1, [step(1)])
    response = agent.finish(1, last=2)
    assert response.status_code == 409
    assert response.json() == {"detail": "The last event of run 1 is number 1, not 2."}


def test_an_error_is_written_down_with_its_reason(
    client: TestClient, alice: Person, agent: HandAgent, run: dict[str, Any], database: Database
) -> None:
    agent.finish(1, status="ERROR", reason="the driver is missing", unreachable=['State "X"'])
    with database.reading() as session:
        entry = session.scalars(select(tables.ErrorEntry)).one()
    assert entry.execution_id == run["execution_id"]
    assert entry.message == 'Run 1: the driver is missing; out of reach: State "X".'
    lines = client.get("/ai/runlogs/1", headers=alice.bearer).json()["items"]
    assert "the driver is missing" in lines[-1]["message"]


def test_the_same_finish_at_the_same_moment_gets_the_same_answer(
    agent: HandAgent, run: dict[str, Any], database: Database
) -> None:
    agent.report(1, [step(1)])
    answers = at_once(*[lambda: agent.finish(1, last=1)] * 4)
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {"status": "PASSED"})] * 4
    with database.reading() as session:
        assert session.scalars(select(tables.ModelVersion.passed)).one() == 1
