"""Connections that PostgreSQL has ended while nobody used them."""

import secrets
from collections.abc import Iterator

import pytest
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from opendai.database import Database
from opendai.database import engines as module
from tests.services import PostgresServer

END = text("SELECT pg_terminate_backend(:pid, 5000)")


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[Database]:
    name = f"idling_{secrets.token_hex(4)}"
    database = Database(postgres_server.create_database(name), threads=2)
    yield database
    database.close()
    postgres_server.drop_database(name)


def ask(database: Database) -> int | None:
    """Who answers: the process of the connection."""
    with database.reading() as session:
        return session.scalar(text("SELECT pg_backend_pid()"))


def end(pid: int | None, server: PostgresServer) -> None:
    with create_engine(server.url("postgres"), poolclass=NullPool).connect() as connection:
        assert connection.scalar(END, {"pid": pid})


def test_a_connection_that_ended_while_it_idled_is_replaced_unnoticed(
    database: Database, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TRUSTED_SECONDS", 0.0)
    before = ask(database)
    assert ask(database) == before
    end(before, postgres_server)
    assert ask(database) not in {None, before}


def test_a_connection_that_ended_a_moment_after_its_last_use_fails_once(
    database: Database, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TRUSTED_SECONDS", 60.0)
    before = ask(database)
    end(before, postgres_server)
    with pytest.raises(OperationalError):
        ask(database)
    assert ask(database) not in {None, before}
