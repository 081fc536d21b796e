"""/ai/audit: who reads what was written down, and how it is filtered, sorted and paged."""

import pytest
from sqlalchemy import delete, select

from opendai import tables
from opendai.auth.audit import Actor, Audit
from opendai.database import Database
from tests.arranging.audit import AUDIT, done, events
from tests.conftest import Person, Program
from tests.inprocess import TestClient


@pytest.fixture
def written(database: Database, admin: Person, alice: Person) -> list[int]:
    """Six events of two actors, a minute apart."""
    with database.writing() as session:
        session.execute(delete(tables.AuditEvent))
        for number in range(6):
            actor = Actor("user" if number % 2 else "client", "carol" if number % 2 else "ci")
            action = "user.create" if number < 3 else "user.delete"
            Audit(session, actor).record(action, f"user:{number % 3}", number=number)
            session.flush()
        found = session.scalars(select(tables.AuditEvent).order_by(tables.AuditEvent.id)).all()
        for number, event in enumerate(found):
            event.created_at = event.created_at.replace(
                year=2026, month=11, day=22, hour=9, minute=30 + number, second=0, microsecond=0
            )
        return [event.id for event in found]


def page(client: TestClient, person: Person, query: str = "") -> tuple[list[int], int]:
    body = done(client.get(f"{AUDIT}{query}", headers=person.bearer))
    assert body.keys() == {"items", "total_count", "date_as_of"}
    return [item["details"]["number"] for item in body["items"]], body["total_count"]


@pytest.mark.parametrize(
    ("query", "numbers", "total"),
    [
        ("", [0, 1, 2, 3, 4, 5], 6),
        ("?action=user.create", [0, 1, 2], 3),
        ("?action=user", [], 0),
        ("?actor=carol", [1, 3, 5], 3),
        ("?target=user:0", [0, 3], 2),
        ("?action=user.delete&actor=ci&target=user:1", [4], 1),
        ("?action=&actor=&target=", [0, 1, 2, 3, 4, 5], 6),
        ("?since=2026-11-22T09:32:00Z", [2, 3, 4, 5], 4),
        ("?since=2026-11-22T10:32:00%2B01:00", [2, 3, 4, 5], 4),
        ("?since=2026-11-22T10:32:00+01:00", [2, 3, 4, 5], 4),
        ("?until=2026-11-22T09:32", [0, 1], 2),
        ("?until=2026-11-22", [], 0),
        ("?since=2026-11-22&until=2026-11-23", [0, 1, 2, 3, 4, 5], 6),
        ("?since=2026-11-22T09:31:00.000001&until=2026-11-22T09:34:00.5&actor=ci", [2, 4], 2),
        ("?sort=-id", [5, 4, 3, 2, 1, 0], 6),
        ("?sort=actor", [1, 3, 5, 0, 2, 4], 6),
        ("?sort=-target&limit=2", [5, 2], 6),
        ("?sort=-timestamp&limit=1", [5], 6),
        ("?sort=action&offset=5", [5], 6),
        ("?offset=4&limit=10", [4, 5], 6),
        ("?offset=6", [], 6),
        ("?offset=-3&limit=1", [0], 6),
    ],
)
def test_events_are_filtered_sorted_and_paged(
    client: TestClient, admin: Person, written: list[int], query: str, numbers: list[int], total: int
) -> None:
    assert page(client, admin, query) == (numbers, total)


def test_the_whole_event_is_shown(client: TestClient, admin: Person, written: list[int]) -> None:
    (item,) = done(client.get(f"{AUDIT}?limit=1", headers=admin.bearer))["items"]
    assert item == {
        "id": written[0],
        "timestamp": "2026-11-22T09:30:00+00:00",
        "action": "user.create",
        "actor_kind": "client",
        "actor": "ci",
        "address": None,
        "target": "user:0",
        "details": {"number": 0},
        "request_id": None,
    }


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "since=",
        "since=1700000000",
        "since=2026-11-22T25:00:00Z",
        "since=2026-13-01",
        "since=0001-01-01",
        "since=9999-12-31T23:59:59-23:00",
        "until=20261122",
        "until=2026-11-22T09:30:00Z%00",
        "until=2026-11-22T09:30:00.1234567Z",
        "until=%D9%A2026-11-22",
        "sort=details",
        "sort=password",
        "offset=x",
        "limit=0",
        "limit=1001",
        "action=%00",
        "actor=a%0Ab",
        f"target={'x' * 256}",
    ],
)
def test_a_question_that_cannot_be_is_refused(client: TestClient, admin: Person, query: str) -> None:
    response = client.get(f"{AUDIT}?{query}", headers=admin.bearer)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == query.split("=", maxsplit=1)[0]


def test_administrators_read_it_be_they_people_or_programs(
    client: TestClient,
    written: list[int],
    admin: Person,
    ci: Program,
    alice: Person,
    nobody: Person,
    lab: Program,
) -> None:
    for reader in (admin, ci):
        assert done(client.get(f"{AUDIT}?action=user.create", headers=reader.bearer))["total_count"] == 3
    for person in (alice, nobody, lab):
        response = client.get(AUDIT, headers=person.bearer)
        assert response.status_code == 403
        assert response.json() == {"message": "This needs an administrator's rights."}
    assert client.get(AUDIT).status_code == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_changes_it(
    client: TestClient, admin: Person, written: list[int], database: Database, method: str
) -> None:
    for path, status in ((AUDIT, 405), (f"{AUDIT}/{written[0]}", 404)):
        assert client.request(method, path, headers=admin.bearer, json={}).status_code == status
    assert [event.id for event in events(database)] == written
