"""Changes of AI servers and their tokens are audit events, which hold no token."""

from sqlalchemy import select, text

from opendai import tables
from opendai.database import Database
from tests.conftest import Person
from tests.inprocess import TestClient
from tests.resources.ai_servers.asking import GIVEN, SERVERS, TOKEN, create

URL = "https://llm.example/v1"


def events(database: Database) -> list[tuple[str, str, dict[str, object]]]:
    with database.reading() as session:
        rows = session.scalars(select(tables.AuditEvent).order_by(tables.AuditEvent.id))
        return [(row.action, row.target, row.details) for row in rows]


def test_the_life_of_an_ai_server(client: TestClient, admin: Person, database: Database) -> None:
    create(client, admin)
    one, credentials = f"{SERVERS}/1", f"{SERVERS}/1/credentials"
    for token in (TOKEN, ""):
        given = {"_type": "token-auth-credentials", "token": token}
        assert client.post(credentials, headers=admin.bearer, json=given).status_code == 200
    for change in ({"name": "Other", "json_path": "a.b"}, {"name": "Other"}):
        assert client.patch(one, headers=admin.bearer, json=change).status_code == 200
    assert client.delete(one, headers=admin.bearer).status_code == 204
    target = "ai_server:1"
    assert events(database) == [
        ("ai_server.create", target, {"name": GIVEN["name"], "url": URL}),
        ("ai_server.credentials", target, {"is_set": True}),
        ("ai_server.credentials", target, {"is_set": False}),
        ("ai_server.update", target, {"name": "Other", "url": URL, "changed": ["json_path", "name"]}),
        ("ai_server.delete", target, {"name": "Other", "url": URL}),
    ]


def test_several_that_are_deleted_at_once_are_told_one_by_one(
    client: TestClient, admin: Person, database: Database
) -> None:
    for name in ("first", "second"):
        create(client, admin, name=name)
    assert client.delete(f"{SERVERS}/2,1", headers=admin.bearer).status_code == 204
    deleted = [
        (target, details["name"]) for action, target, details in events(database) if "delete" in action
    ]
    assert deleted == [("ai_server:1", "first"), ("ai_server:2", "second")]


def test_neither_a_token_nor_a_key_in_the_address_is_in_an_event(
    client: TestClient, admin: Person, database: Database
) -> None:
    create(client, admin, url=f"{URL}?key={TOKEN}", payload_template=f'{{"key": "{TOKEN}"}}')
    given = {"_type": "token-auth-credentials", "token": TOKEN}
    client.post(f"{SERVERS}/1/credentials", headers=admin.bearer, json=given)
    client.patch(f"{SERVERS}/1", headers=admin.bearer, json={"url": f"{URL}?other={TOKEN}"})
    assert len(events(database)) == 3
    with database.reading() as session:
        assert TOKEN not in str(session.execute(text("SELECT * FROM audit_events")).all())
