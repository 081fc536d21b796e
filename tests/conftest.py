"""Who asks the server under test."""

import secrets
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from opendai import tables
from opendai.auth.logins import hash_secret, token_for_client, token_for_user
from opendai.auth.passwords import Passwords
from opendai.auth.tokens import Tokens
from opendai.database import Database
from opendai.resources.api_clients import DEFAULT_GRANTS
from tests.inprocess import TestClient

pytest_plugins = [
    "tests.services",
    "tests.serving",
    "tests.browser",
    "tests.mailserver",
    "tests.contract.world",
]

PASSWORD = "correct horse battery staple"
_signed: dict[tuple[Tokens, str], str] = {}


@dataclass(frozen=True)
class Person:
    """Somebody who asks: the row's id, and the headers that prove who it is."""

    id: int
    name: str
    bearer: dict[str, str]


@dataclass(frozen=True)
class Program(Person):
    """An API client with its secret."""

    client_id: str
    secret: str


@pytest.fixture(scope="session", autouse=True)
def only_this_machine() -> Iterator[None]:
    """No name is looked up outside: tests would wait for a name server where there is none."""
    ask = socket.getaddrinfo

    def look_up(
        host: Any, port: Any, family: int = 0, kind: int = 0, proto: int = 0, flags: int = 0, **named: Any
    ) -> Any:
        kind = named.get("type", kind)
        name = host.decode() if isinstance(host, bytes) else host
        is_here = name in {None, "localhost", socket.gethostname()}
        return ask(host, port, family, kind, proto, flags | (0 if is_here else socket.AI_NUMERICHOST))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", look_up)
        yield


@pytest.fixture(scope="session")
def password_hash() -> str:
    return Passwords().hash(PASSWORD)


def _person(app: FastAPI, password_hash: str, name: str, *, role: str, groups: list[str]) -> Person:
    database: Database = app.state.database
    group = tables.Group
    with database.writing() as session:
        there = {row.name: row for row in session.scalars(select(group).where(group.name.in_(groups)))}
        rows = [there.get(name) or group(name=name) for name in groups]
        user = tables.User(username=name, password_hash=password_hash, role=role, groups=rows)
        session.add(user)
        session.flush()
        # The same in every test, as the ids of the rows are: then it need be signed only once.
        login = tables.Login(
            id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{user.id} {name}")),
            user_id=user.id,
            authenticated=0.0,
            expires=2.0**33,
        )
        session.add(login)
    return Person(user.id, name, {"Authorization": f"Bearer {_token(app.state.tokens, user, login)}"})


def _token(tokens: Tokens, user: tables.User, login: tables.Login) -> str:
    key = (tokens, login.id)
    if key not in _signed:
        _signed[key], _ = token_for_user(tokens, user, login, lifetime=3600)
    return _signed[key]


def make_program(app: FastAPI, name: str, role: str) -> Program:
    database: Database = app.state.database
    secret = secrets.token_urlsafe(32)
    with database.writing() as session:
        row = tables.ApiClient(
            client_id=f"{name}-id",
            name=name,
            role=role,
            grants=list(DEFAULT_GRANTS[role]),
            secret_sha256=hash_secret(secret),
        )
        session.add(row)
        session.flush()
        token, _ = token_for_client(app.state.tokens, row, lifetime=600)
        return Program(row.id, name, {"Authorization": f"Bearer {token}"}, row.client_id, secret)


@pytest.fixture
def admin(client: TestClient, app: FastAPI, password_hash: str) -> Person:
    return _person(app, password_hash, "admin", role="Admin", groups=["admin"])


@pytest.fixture
def alice(client: TestClient, app: FastAPI, password_hash: str) -> Person:
    """A user who owns the models of the group "shop"."""
    return _person(app, password_hash, "alice", role="User", groups=["alice", "shop"])


@pytest.fixture
def bob(client: TestClient, app: FastAPI, password_hash: str) -> Person:
    """A user of another group."""
    return _person(app, password_hash, "bob", role="User", groups=["bob", "bank"])


@pytest.fixture
def nobody(client: TestClient, app: FastAPI, password_hash: str) -> Person:
    """Somebody who signed up and has no rights yet."""
    return _person(app, password_hash, "nobody", role="None", groups=[])


@pytest.fixture
def ci(client: TestClient, app: FastAPI) -> Program:
    """An API client with an administrator's rights."""
    return make_program(app, "ci", "admin")


@pytest.fixture
def lab(client: TestClient, app: FastAPI) -> Program:
    """An API client of an agent."""
    return make_program(app, "lab", "agent")


@pytest.fixture(scope="session")
def samples() -> dict[str, str]:
    folder = Path(__file__).parents[1] / "src" / "opendai" / "demo"
    return {
        path.name.split(".")[0]: path.read_text(encoding="utf-8") for path in folder.glob("*.modeljson.json")
    }
