"""Guesses at passwords that come all at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from opendai import tables
from opendai.auth import attempts
from opendai.database import Database
from tests.inprocess import TestClient

pytestmark = pytest.mark.slow

AT_ONCE = 16


def test_parallel_guesses_all_count(client: TestClient, database: Database) -> None:
    def guess(number: int) -> bool:
        ready.wait()
        return attempts.begin_attempt(database, "alice", f"203.0.113.{number}")

    ready = threading.Barrier(50)
    with ThreadPoolExecutor(50) as pool:
        allowed = list(pool.map(guess, range(50)))
    assert sum(allowed) == attempts.ACCOUNT_ATTEMPTS
    with database.reading() as session:
        row = tables.LoginAttempts
        assert session.scalar(select(row.count).where(row.kind == "account")) == 50


def test_parallel_attempts_that_succeed_and_fail_do_not_wait_for_each_other_in_a_circle(
    client: TestClient, database: Database
) -> None:
    def attempt(number: int) -> None:
        username, address = f"user {number % 3}", f"203.0.113.{number % 2}"
        ready.wait()
        for _ in range(4):
            attempts.begin_attempt(database, username, address)
            attempts.give_back(database, username, address)

    ready = threading.Barrier(AT_ONCE)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(attempt, range(AT_ONCE)))
    with database.reading() as session:
        row = tables.LoginAttempts
        assert set(session.scalars(select(row.count).where(row.kind == "address"))) == {0}
