"""Who asks the server under test."""

import functools
import secrets
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from opendai import tables
from opendai.auth.logins import hash_secret, token_for_client, token_for_user
from opendai.auth.passwords import Passwords
from opendai.auth.tokens import Tokens
from opendai.database import Database
from opendai.resources.api_clients import DEFAULT_GRANTS
from tests.inprocess import TestClient
from tests.rows import Rows

pytest_plugins = [
    "tests.services",
    "tests.serving",
    "tests.browser",
    "tests.mailserver",
    "tests.contract.world",
]

PASSWORD = "correct horse battery staple"


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


def _person(
    app: FastAPI, all_rows: Rows, password_hash: str, name: str, *, role: str, groups: list[str]
) -> Person:
    login = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    user = all_rows.add_person(name, password_hash=password_hash, role=role, groups=groups, login=login)
    return Person(
        user, name, {"Authorization": f"Bearer {_token(app.state.tokens, user, name, role, login)}"}
    )


@functools.cache
def _token(tokens: Tokens, user: int, name: str, role: str, login: str) -> str:
    """Signed once, as the tests number their people alike."""
    return token_for_user(
        tokens, tables.User(id=user, username=name, role=role), tables.Login(id=login), lifetime=3600
    )[0]


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
def admin(client: TestClient, app: FastAPI, all_rows: Rows, password_hash: str) -> Person:
    return _person(app, all_rows, password_hash, "admin", role="Admin", groups=["admin"])


@pytest.fixture
def alice(client: TestClient, app: FastAPI, all_rows: Rows, password_hash: str) -> Person:
    """A user who owns the models of the group "shop"."""
    return _person(app, all_rows, password_hash, "alice", role="User", groups=["alice", "shop"])


@pytest.fixture
def bob(client: TestClient, app: FastAPI, all_rows: Rows, password_hash: str) -> Person:
    """A user of another group."""
    return _person(app, all_rows, password_hash, "bob", role="User", groups=["bob", "bank"])


@pytest.fixture
def nobody(client: TestClient, app: FastAPI, all_rows: Rows, password_hash: str) -> Person:
    """Somebody who signed up and has no rights yet."""
    return _person(app, all_rows, password_hash, "nobody", role="None", groups=[])


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
