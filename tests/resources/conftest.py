"""A model, an agent of the protocol, and a run that it has claimed."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.conftest import Person, Program
from tests.resources.test_models import create_model
from tests.resources.walking import ANY_AGENT, HandAgent, start


@pytest.fixture
def clinic(client: TestClient, alice: Person, samples: dict[str, str]) -> dict[str, Any]:
    return create_model(client, alice, samples["petclinic"])


@pytest.fixture
def agent(client: TestClient, lab: Program) -> HandAgent:
    return HandAgent(client, lab)


@pytest.fixture
def run(client: TestClient, alice: Person, clinic: dict[str, Any], agent: HandAgent) -> dict[str, Any]:
    """A run that the agent has claimed."""
    start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT, seed=5)
    return agent.take()
