"""The server under test: once per database, emptied between tests, asked over HTTP."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from opendai.api.server import Server
from opendai.app import create_app
from opendai.database import Database
from opendai.installation import install
from opendai.settings import Settings
from tests.inprocess import TestClient
from tests.rows import Rows
from tests.services import PostgresServer


@dataclass(frozen=True)
class Served:
    """A server of this process, and who asks it."""

    settings: Settings
    app: Server
    client: TestClient
    rows: Rows


@pytest.fixture(scope="session")
def server_loop() -> Iterator[BlockingPortal]:
    """The event loop in which the servers of the tests run."""
    with start_blocking_portal() as portal:
        yield portal


@contextlib.contextmanager
def _serving(database_url: str, data_dir: Path, server_loop: BlockingPortal) -> Iterator[Served]:
    settings = Settings(
        database_url=database_url,
        data_dir=data_dir,
        public_url="http://testserver",
        admin_password="of nobody, once it is emptied",
        sqlite_synchronous="NORMAL",
        reaper_seconds=0.25,
        lease_seconds=5,
    )
    install(settings)
    app = create_app(settings)
    with (
        contextlib.closing(Rows(app.state.parts.database)) as rows,
        server_loop.wrap_async_context_manager(app.lifespan()),
    ):
        yield Served(settings, app, TestClient(app, server_loop, address="203.0.113.9"), rows)


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory, server_loop: BlockingPortal) -> Iterator[Served]:
    data = tmp_path_factory.mktemp("sqlite")
    with _serving(f"sqlite:///{data / 'opendai.db'}", data, server_loop) as served:
        yield served


@pytest.fixture(scope="session")
def on_postgresql(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory, server_loop: BlockingPortal
) -> Iterator[Served]:
    url = postgres_server.create_database(f"opendai_{secrets.token_hex(4)}")
    with _serving(url, tmp_path_factory.mktemp("postgresql"), server_loop) as served:
        yield served


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest) -> Served:
    """On each database in turn; both servers stay up, as each file of tests asks for both."""
    return request.getfixturevalue(f"on_{request.param}")


@pytest.fixture
def settings(served: Served) -> Settings:
    return served.settings


@pytest.fixture
def app(served: Served) -> Server:
    return served.app


@pytest.fixture
def database(app: Server) -> Database:
    return app.state.parts.database


@pytest.fixture
def all_rows(served: Served) -> Rows:
    return served.rows


@pytest.fixture
def client(served: Served, all_rows: Rows, database: Database) -> TestClient:
    """The server, without a trace of earlier tests."""
    all_rows.put_back()
    # The rows were changed behind the back of the server.
    database.rights += 1
    return served.client
