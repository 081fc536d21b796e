"""Fixtures of several rooms: a model, an agent, a claimed run, a program for logins, and a browser."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from joserfc import jwt
from sqlalchemy import delete, func, select

from opendai import tables
from opendai.api.server import Server
from opendai.database import Database
from tests.arranging.browsing import ISSUER, RETURN, Browser, LoginClient, make_login, make_login_client
from tests.arranging.models import create_model
from tests.arranging.visiting import Visit
from tests.arranging.walking import ANY_AGENT, HandAgent, start
from tests.conftest import Person, Program
from tests.inprocess import TestClient


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
def forget_events(database: Database) -> Callable[[], None]:
    """Forgets what led up to the change that a test is about."""

    def empty() -> None:
        with database.writing() as session:
            session.execute(delete(tables.AuditEvent))

    return empty


@pytest.fixture
def audited_admin(admin: Person, alice: Person, forget_events: Callable[[], None]) -> Person:
    """The administrator, beside Alice; nothing is written down yet."""
    forget_events()
    return admin


@pytest.fixture
def shop_client(client: TestClient, database: Database) -> LoginClient:
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
def browser(client: TestClient, shop_client: LoginClient) -> Iterator[Browser]:
    browser = Browser(client)
    yield browser
    browser.forget()


@pytest.fixture
def shop_visit(
    browser: Browser, alice: Person, shop_client: LoginClient, database: Database, app: Server
) -> Visit:
    session = browser.be_logged_in(database, alice)
    login = make_login(database, alice, shop_client, session)
    claims = {
        "iss": ISSUER,
        "sub": f"user:{alice.id}",
        "aud": shop_client.client_id,
        "typ": "ID",
        "sid": login,
        "exp": int(time.time()) + 300,
    }

    def sign(**changes: Any) -> str:
        key = app.state.parts.keys.signing
        return jwt.encode({"alg": "RS256", "kid": key.kid}, {**claims, **changes}, key)

    return Visit(browser, session, login, claims, sign)


@pytest.fixture
def count_remaining(database: Database, shop_visit: Visit) -> Callable[[], tuple[int, int]]:
    """How many of the browser's session and of its login are left."""

    def count() -> tuple[int, int]:
        with database.reading() as session:
            sessions = select(func.count()).where(tables.BrowserSession.id == shop_visit.session)
            logins = select(func.count()).where(tables.Login.id == shop_visit.login)
            return session.scalars(sessions).one(), session.scalars(logins).one()

    return count
