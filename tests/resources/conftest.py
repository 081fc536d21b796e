"""A model, an agent of the protocol, and a run that it has claimed."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from opendai.database import Database
from tests.conftest import Person, Program
from tests.resources.browsing import RETURN, Browser, LoginClient, make_login_client
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
def shop(client: TestClient, database: Database) -> LoginClient:
    """The page of a shop, and an app on people's machines."""
    return make_login_client(
        database,
        "shop",
        RETURN,
        "https://shop.example.com/back?kind=1",
        "http://127.0.0.1/app",
        "http://[::1]:1/app",
        "com.example.shop:/back",
    )


@pytest.fixture
def browser(client: TestClient, shop: LoginClient) -> Iterator[Browser]:
    browser = Browser(client)
    yield browser
    browser.forget()
