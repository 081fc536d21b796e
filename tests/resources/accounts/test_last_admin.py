"""There is always an administrator, whoever asks at the same time."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from opendai import tables
from opendai.database import Database
from tests.conftest import PASSWORD, Person, Program
from tests.inprocess import TestClient

LAST = {"message": "There must be an administrator, and this is the last one."}


def _admins(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count(tables.User.id)).where(tables.User.role == "Admin")) or 0


@pytest.mark.parametrize("role", ["None", "User"])
def test_the_last_administrator_keeps_the_role(
    client: TestClient, admin: Person, ci: Program, database: Database, role: str
) -> None:
    for asking in (admin, ci):
        response = client.put(f"/ai/users/{admin.id}", headers=asking.bearer, json={"role": role})
        assert (response.status_code, response.json()) == (409, LAST)
    assert _admins(database) == 1


def test_the_last_administrator_stays(
    client: TestClient, admin: Person, ci: Program, database: Database
) -> None:
    for asking in (admin, ci):
        response = client.delete(f"/ai/users/{admin.id}", headers=asking.bearer)
        assert (response.status_code, response.json()) == (409, LAST)
    assert _admins(database) == 1


def test_one_of_two_administrators_may_go(
    client: TestClient, admin: Person, alice: Person, database: Database
) -> None:
    client.put(f"/ai/users/{alice.id}", headers=admin.bearer, json={"role": "Admin"})
    assert client.put(f"/ai/users/{admin.id}", headers=admin.bearer, json={"role": "User"}).status_code == 200
    assert client.delete(f"/ai/users/{admin.id}", headers=alice.bearer).status_code == 200
    assert _admins(database) == 1


@pytest.mark.slow
@pytest.mark.parametrize("ways", [("PUT", "PUT"), ("DELETE", "DELETE"), ("PUT", "DELETE")])
def test_two_administrators_who_remove_each_other_at_once_leave_one(
    client: TestClient, ci: Program, database: Database, ways: tuple[str, str]
) -> None:
    for number in range(5):
        anna, ben = (_new_admin(client, ci, f"{name}{number}") for name in ("anna", "ben"))
        statuses = _at_once(
            _removal(client, ways[0], asking=anna, target=ben),
            _removal(client, ways[1], asking=ben, target=anna),
        )
        # The slower one is refused as the other is the last, or because they are an administrator no more.
        assert min(statuses) == 200
        assert max(statuses) in {401, 403, 409}
        assert _admins(database) == 1
        _remove_all(database)


@pytest.mark.slow
@pytest.mark.parametrize("ways", [("PUT", "PUT"), ("DELETE", "DELETE"), ("PUT", "DELETE")])
def test_a_client_that_removes_two_administrators_at_once_leaves_one(
    client: TestClient, ci: Program, database: Database, ways: tuple[str, str]
) -> None:
    """The client keeps its rights, so that nothing but the lock can refuse the second request."""
    for number in range(5):
        pair = [_new_admin(client, ci, f"{name}{number}") for name in ("anna", "ben")]
        calls = [
            _removal(client, way, asking=ci, target=target) for way, target in zip(ways, pair, strict=True)
        ]
        assert sorted(_at_once(*calls)) == [200, 409]
        assert _admins(database) == 1
        _remove_all(database)


def _new_admin(client: TestClient, ci: Program, name: str) -> Person:
    body = {"username": name, "password": PASSWORD, "role": "Admin"}
    user = client.post("/ai/users", headers=ci.bearer, json=body).json()
    token = client.post("/ai/auth", json={"username": name, "password": PASSWORD}).json()["access_token"]
    return Person(user["id"], name, {"Authorization": f"Bearer {token}"})


def _remove_all(database: Database) -> None:
    with database.writing() as session:
        session.execute(delete(tables.User))
        session.execute(delete(tables.Group))


def _removal(client: TestClient, way: str, *, asking: Person, target: Person) -> Callable[[], Any]:
    body = {"role": "User"} if way == "PUT" else None
    return lambda: client.request(way, f"/ai/users/{target.id}", headers=asking.bearer, json=body)


def _at_once(*calls: Callable[[], Any]) -> list[int]:
    barrier = threading.Barrier(len(calls))

    def when_all_are_ready(call: Callable[[], Any]) -> int:
        barrier.wait()
        return call().status_code

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(when_all_are_ready, calls))
