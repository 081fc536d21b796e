"""/api/rest/latest/ai-servers/{id}/credentials: stored, replaced, dropped, and never shown."""

from typing import Any

import pytest
from sqlalchemy import select, update

from opendai import tables
from opendai.api.server import Server
from opendai.credentials.secrets import SecretKeyProblem
from opendai.database import Database
from opendai.resources.ai_servers.repository import place_of
from tests.conftest import Person, Program
from tests.inprocess import TestClient
from tests.resources.ai_servers.asking import GIVEN, SERVERS, TOKEN, create, link, wrong

TYPE = "token-auth-credentials"
SHOWN = {"_type": TYPE, "_links": link("/1/credentials")}
NONE = {"message": "The AI server 1 has no credentials."}


def set_token(client: TestClient, person: Person, token: Any = TOKEN, **body: Any) -> Any:
    return client.post(
        f"{SERVERS}/1/credentials", headers=person.bearer, json={"_type": TYPE, "token": token, **body}
    )


def get(client: TestClient, person: Person) -> Any:
    return client.get(f"{SERVERS}/1/credentials", headers=person.bearer)


def sealed(database: Database, server_id: int = 1) -> bytes | None:
    with database.reading() as session:
        return session.scalars(select(tables.AiServer.token).where(tables.AiServer.id == server_id)).one()


def stored(app: Server, database: Database) -> str | None:
    found = sealed(database)
    return app.state.parts.secret_key.decrypt(found, place=place_of(1)).decode() if found else None


@pytest.fixture(autouse=True)
def server(client: TestClient, admin: Person) -> dict[str, Any]:
    return create(client, admin)


def test_a_new_server_has_no_credentials(client: TestClient, admin: Person) -> None:
    response = get(client, admin)
    assert (response.status_code, response.json()) == (404, NONE)


def test_a_token_is_stored_encrypted_and_never_shown(
    client: TestClient, admin: Person, app: Server, database: Database, server: dict[str, Any]
) -> None:
    response = set_token(client, admin)
    assert (response.status_code, list(response.json().items())) == (200, list(SHOWN.items()))
    assert get(client, admin).json() == SHOWN
    assert stored(app, database) == TOKEN
    assert TOKEN.encode() not in (sealed(database) or b"")
    # Neither is it a modification of the server.
    assert client.get(f"{SERVERS}/1", headers=admin.bearer).json() == server
    assert TOKEN not in client.get(SERVERS, headers=admin.bearer).text


def test_a_second_token_replaces_the_first(
    client: TestClient, ci: Program, app: Server, database: Database
) -> None:
    set_token(client, ci)
    assert set_token(client, ci, token=" another one ").status_code == 200
    assert stored(app, database) == "another one"


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_a_blank_token_takes_the_credentials_away(
    client: TestClient, admin: Person, database: Database, blank: str
) -> None:
    set_token(client, admin)
    response = set_token(client, admin, token=blank)
    assert (response.status_code, response.json()) == (200, SHOWN)
    assert sealed(database) is None
    assert (get(client, admin).status_code, get(client, admin).json()) == (404, NONE)


def test_the_kind_of_credentials_may_be_left_out(client: TestClient, admin: Person) -> None:
    response = client.post(f"{SERVERS}/1/credentials", headers=admin.bearer, json={"token": TOKEN})
    assert (response.status_code, response.json()) == (200, SHOWN)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("token", None),
        ("token", 1),
        ("token", ["a"]),
        ("token", "secret\r\nX: y"),
        ("token", "secret\0"),
        ("token", "secreté"),
        ("token", "secret" * 1000),
        ("_type", "basic-auth-credentials"),
        ("_type", None),
    ],
)
def test_what_cannot_be_is_412_without_the_value(
    client: TestClient, admin: Person, app: Server, database: Database, field: str, value: Any
) -> None:
    set_token(client, admin)
    response = set_token(client, admin, **{field: value})
    assert response.status_code == 412
    error = wrong(field, response.json())
    assert (error["objectName"], error["fieldValue"]) == (TYPE, None)
    assert "secret" not in response.text
    assert stored(app, database) == TOKEN


def test_without_a_token_nothing_is_set(client: TestClient, admin: Person, database: Database) -> None:
    response = client.post(f"{SERVERS}/1/credentials", headers=admin.bearer, json={"_type": TYPE})
    assert wrong("token", response.json())["errorMessage"] == "Field required"
    assert sealed(database) is None


@pytest.mark.parametrize(
    ("url", "is_kept"),
    [
        ("https://llm.example/other/path?x=1", True),
        ("https://LLM.example:443/v1", True),
        ("http://llm.example/v1", False),
        ("https://llm.example:8443/v1", False),
        ("https://evil.example/v1", False),
        ("https://llm.example.evil.example/v1", False),
        ("https://llm.example./v1", True),
    ],
)
def test_another_origin_takes_the_credentials_away(
    client: TestClient, admin: Person, database: Database, url: str, is_kept: bool
) -> None:
    set_token(client, admin)
    response = client.patch(f"{SERVERS}/1", headers=admin.bearer, json={"url": url})
    assert (response.status_code, response.json()["url"]) == (200, url)
    assert list(response.json()) == list(client.get(f"{SERVERS}/1", headers=admin.bearer).json())
    assert (sealed(database) is not None) == is_kept
    assert get(client, admin).status_code == (200 if is_kept else 404)


def test_a_change_back_does_not_bring_them_back(
    client: TestClient, admin: Person, database: Database
) -> None:
    set_token(client, admin)
    for url in ("https://evil.example/", GIVEN["url"]):
        assert client.patch(f"{SERVERS}/1", headers=admin.bearer, json={"url": url}).status_code == 200
    assert sealed(database) is None


def test_a_change_that_is_refused_keeps_them(
    client: TestClient, admin: Person, app: Server, database: Database
) -> None:
    create(client, admin, name="Other")
    set_token(client, admin)
    body = {"url": "https://evil.example/", "name": "Other"}
    assert client.patch(f"{SERVERS}/1", headers=admin.bearer, json=body).status_code == 412
    assert stored(app, database) == TOKEN


def test_a_token_that_is_moved_to_another_server_cannot_be_read(
    client: TestClient, admin: Person, app: Server, database: Database
) -> None:
    create(client, admin, name="Other")
    set_token(client, admin)
    with database.writing() as session:
        moved = update(tables.AiServer).where(tables.AiServer.id == 2).values(token=sealed(database))
        session.execute(moved)
    of_another = sealed(database, 2)
    with pytest.raises(SecretKeyProblem):
        app.state.parts.secret_key.decrypt(of_another or b"", place=place_of(2))


def test_the_next_server_does_not_inherit_them(client: TestClient, admin: Person, database: Database) -> None:
    set_token(client, admin)
    assert client.delete(f"{SERVERS}/1", headers=admin.bearer).status_code == 204
    created = create(client, admin)
    assert created["id"] == 2
    assert sealed(database, 2) is None


def test_only_administrators_learn_of_them(
    client: TestClient,
    admin: Person,
    alice: Person,
    nobody: Person,
    lab: Program,
    app: Server,
    database: Database,
) -> None:
    set_token(client, admin)
    for person in (alice, nobody, lab):
        for response in (get(client, person), set_token(client, person, token="mine")):
            assert response.status_code == 403
            assert response.json() == {"message": "This needs an administrator's rights."}
    assert stored(app, database) == TOKEN


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_credentials_of_a_server_that_is_not_there(client: TestClient, admin: Person, method: str) -> None:
    response = client.request(method, f"{SERVERS}/9/credentials", headers=admin.bearer, json={"token": TOKEN})
    assert (response.status_code, response.json()) == (404, {"message": "There is no AI server 9."})
