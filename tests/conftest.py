"""Who asks the server under test."""

import functools
import gc
import secrets
import socket
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.contextvars import merge_contextvars
from structlog.processors import JSONRenderer, add_log_level, format_exc_info
from structlog.typing import Processor

from opendai import tables
from opendai.api.server import Server
from opendai.auth.logins import hash_secret, token_for_client, token_for_user
from opendai.credentials.passwords import Passwords
from opendai.credentials.tokens import Tokens
from opendai.resources.api_clients.repository import DEFAULT_GRANTS
from tests.inprocess import TestClient
from tests.rows import Rows

pytest_plugins = [
    "tests.services",
    "tests.serving",
    "tests.browser",
    "tests.mailserver",
    "tests.arranging.fixtures",
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


MakePerson = Callable[[str, str, Sequence[str]], Person]
MakeProgram = Callable[[str, str], Program]


def pytest_collection_finish() -> None:
    """Spare what was imported and collected, some hundred thousand objects, each collection of garbage to come."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def plain_log() -> None:
    """As the server writes it: the pretty tracebacks show all local variables and take 0.2 s each."""
    processors: list[Processor] = [merge_contextvars, add_log_level, format_exc_info, JSONRenderer()]
    structlog.configure(processors=processors)


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


# Signed once, as the tests number their people alike.
@functools.cache
def _person_token(tokens: Tokens, number: int, name: str, role: str, login: str) -> str:
    user = tables.User(id=number, username=name, role=role)
    return token_for_user(tokens, user, tables.Login(id=login), lifetime=3600)[0]


@functools.cache
def _program_token(tokens: Tokens, number: int, client_id: str, role: str) -> str:
    client = tables.ApiClient(id=number, client_id=client_id, role=role, generation=0)
    return token_for_client(tokens, client, lifetime=3600)[0]


@pytest.fixture
def make_person(client: TestClient, app: Server, all_rows: Rows, password_hash: str) -> MakePerson:
    """Make a user of this name, role and groups, who is logged in."""

    def make(name: str, role: str, groups: Sequence[str]) -> Person:
        login = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
        number = all_rows.add_person(name, password_hash=password_hash, role=role, groups=groups, login=login)
        token = _person_token(app.state.parts.tokens, number, name, role, login)
        return Person(number, name, {"Authorization": f"Bearer {token}"})

    return make


@pytest.fixture
def make_program(client: TestClient, app: Server, all_rows: Rows) -> MakeProgram:
    """Make an API client of this name and role."""

    def make(name: str, role: str) -> Program:
        client_id, secret = f"{name}-id", secrets.token_urlsafe(32)
        number = all_rows.add_program(
            name,
            client_id=client_id,
            secret_sha256=hash_secret(secret),
            role=role,
            grants=DEFAULT_GRANTS[role],
        )
        token = _program_token(app.state.parts.tokens, number, client_id, role)
        return Program(number, name, {"Authorization": f"Bearer {token}"}, client_id, secret)

    return make


@pytest.fixture
def admin(make_person: MakePerson) -> Person:
    return make_person("admin", "Admin", ["admin"])


@pytest.fixture
def alice(make_person: MakePerson) -> Person:
    """A user who owns the models of the group "shop"."""
    return make_person("alice", "User", ["alice", "shop"])


@pytest.fixture
def bob(make_person: MakePerson) -> Person:
    """A user of another group."""
    return make_person("bob", "User", ["bob", "bank"])


@pytest.fixture
def nobody(make_person: MakePerson) -> Person:
    """Somebody who signed up and has no rights yet."""
    return make_person("nobody", "None", [])


@pytest.fixture
def ci(make_program: MakeProgram) -> Program:
    """An API client with an administrator's rights."""
    return make_program("ci", "admin")


@pytest.fixture
def lab(make_program: MakeProgram) -> Program:
    """An API client of an agent."""
    return make_program("lab", "agent")


@pytest.fixture(scope="session")
def samples() -> dict[str, str]:
    folder = Path(__file__).parents[1] / "src" / "opendai" / "demo"
    return {
        path.name.split(".")[0]: path.read_text(encoding="utf-8") for path in folder.glob("*.modeljson.json")
    }
