"""Leases: one claimer a row, and a fence that every later change must match."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.orm import Session

from opendai import tables
from opendai.database import Database, database_clock
from opendai.resources.leases import Lease
from opendai.tables.columns import now
from opendai.tables.states import FAILED, QUEUED, RUNNING
from tests.inprocess import TestClient

_work = tables.Generation
_LEASE = Lease(_work, ends="claimable_from")
_CLAIM = _LEASE.claim(_work.status == QUEUED).returning(_work.id, _work.attempt)
_RENEW = _LEASE.renew(_LEASE.fence).returning(_work.attempt)
_GIVE_BACK = _LEASE.give_back(_LEASE.fence, reason=bindparam("why")).returning(_work.status)
_FAIL = _LEASE.change(_LEASE.fence, status=FAILED).returning(_work.status)
_LOST = select(_work.id).where(_LEASE.has_ended)


def queue_rows(session: Session) -> list[int]:
    """Queue three rows, which no drafter claims because their time is far away; return their ids."""
    server = tables.AiServer(
        name="s", url="http://127.0.0.1:1", created_by="a", last_modified_by="a", last_modified_at=now()
    )
    session.add(server)
    session.flush()
    row = {"server_id": server.id, "started_by": "a", "requirement": "r", "status": QUEUED}
    session.connection().execute(insert(_work), [{**row, "claimable_from": 1e12}] * 3)
    return list(session.scalars(select(_work.id).order_by(_work.id)))


@pytest.fixture
def connection(client: TestClient, database: Database) -> Iterator[Connection]:
    """A transaction in which the rows are queued, and which is rolled back in the end."""
    with database.writing() as session:
        queue_rows(session)
        yield session.connection()
        session.rollback()


@pytest.fixture
def first(connection: Connection) -> int:
    """The id of the oldest row."""
    return connection.execute(select(_work.id).order_by(_work.id).limit(1)).scalar_one()


def claim(connection: Connection, *, seconds: float = 60.0) -> tuple[int, int] | None:
    row = connection.execute(_CLAIM, {"lease_seconds": seconds}).one_or_none()
    return None if row is None else (row.id, row.attempt)


def fence(row_id: int, attempt: int) -> dict[str, int]:
    return {"row_id": row_id, "row_attempt": attempt}


def test_the_oldest_row_is_claimed_first_and_each_row_once(connection: Connection, first: int) -> None:
    claims = [claim(connection) for _ in range(4)]
    assert claims == [(first, 1), (first + 1, 1), (first + 2, 1), None]
    left = connection.scalars(select(_work.claimable_from - database_clock())).all()
    assert all(55 < seconds <= 60 for seconds in left)


def test_claims_at_the_same_moment_take_different_rows(client: TestClient, database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    with database.writing() as session:
        ids = queue_rows(session)
    with database.writing() as one, database.writing() as other:
        assert claim(one.connection()) == (ids[0], 1)
        assert claim(other.connection()) == (ids[1], 1)


def test_no_change_passes_the_fence_of_another_attempt(connection: Connection, first: int) -> None:
    claim(connection)
    late = fence(first, 2)
    assert connection.execute(_RENEW, {**late, "lease_seconds": 60.0}).all() == []
    assert connection.execute(_GIVE_BACK, {**late, "pause_seconds": 0.0, "why": "late"}).all() == []
    assert connection.execute(_FAIL, late).all() == []
    assert connection.scalar(select(_work.status).where(_work.id == first)) == RUNNING


def test_no_change_reaches_a_row_that_is_not_claimed(connection: Connection, first: int) -> None:
    assert connection.execute(_RENEW, {**fence(first, 0), "lease_seconds": 60.0}).all() == []
    assert connection.execute(_FAIL, fence(first, 0)).all() == []


def test_a_row_that_was_given_back_is_claimed_under_the_next_attempt(
    connection: Connection, first: int
) -> None:
    claim(connection)
    back = {**fence(first, 1), "pause_seconds": 30.0, "why": "busy"}
    assert connection.execute(_GIVE_BACK, back).scalar_one() == QUEUED
    left = connection.execute(select(_work.claimable_from - database_clock()).where(_work.id == first))
    assert 25 < left.scalar_one() <= 30
    assert claim(connection) == (first, 2)


def test_a_lease_of_no_seconds_has_ended_and_a_renewed_one_has_not(
    connection: Connection, first: int
) -> None:
    claim(connection, seconds=-1.0)
    assert connection.scalars(_LOST).all() == [first]
    assert connection.execute(_RENEW, {**fence(first, 1), "lease_seconds": 60.0}).scalar_one() == 1
    assert connection.scalars(_LOST).all() == []


def test_only_a_claimed_row_has_a_lease_that_ends(connection: Connection) -> None:
    connection.execute(update(_work).values(claimable_from=0.0))
    assert connection.scalars(_LOST).all() == []
