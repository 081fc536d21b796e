"""A model, an agent of the protocol, a run that it has claimed; and a record in which nothing is written yet."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete
from starlette.testclient import TestClient

from opendai import tables
from opendai.database import Database
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


@pytest.fixture
def forget(database: Database) -> Callable[[], None]:
    """Forgets what led up to the change that a test is about."""

    def empty() -> None:
        with database.writing() as session:
            session.execute(delete(tables.AuditEvent))

    return empty


@pytest.fixture
def root(admin: Person, alice: Person, forget: Callable[[], None]) -> Person:
    """The administrator, beside Alice; nothing is written down yet."""
    forget()
    return admin
