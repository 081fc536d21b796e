"""Runs that end as a test asks, walked by an agent that reports by hand."""

from collections.abc import Sequence
from typing import Any

from tests.arranging.walking import ANY_AGENT, HandAgent, start, step
from tests.conftest import Person
from tests.inprocess import TestClient


def walk(
    client: TestClient,
    person: Person,
    agent: HandAgent,
    *,
    status: str = "PASSED",
    events: Sequence[dict[str, Any]] | None = None,
    failed_action: str | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """Start, claim, report and finish one run; what the start answered."""
    started = start(client, person, agent=ANY_AGENT, **fields)
    claim = agent.take()
    assert claim["run_id"] == started["run_id"]
    given = [step(1)] if events is None else list(events)
    assert agent.report(claim["run_id"], given).status_code == 200
    finished = agent.finish(
        claim["run_id"], last=len(given), status=status, failed_action=failed_action, reason="as told"
    )
    assert finished.json() == {"status": status}
    return started
