"""The rights of API clients by their kind, and how these rights end."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from opendai import tables
from opendai.api.server import Server
from opendai.auth.logins import token_for_client
from opendai.database import Database
from tests.arranging.api_clients import CALLBACK, CLIENTS, api_client_rows, bearer, create, grant, made
from tests.conftest import PASSWORD, Person
from tests.inprocess import TestClient


def ends(client: TestClient, admin: Person, way: str) -> Any:
    if way == "delete":
        return client.delete(f"{CLIENTS}/1", headers=admin.bearer)
    return client.post(f"{CLIENTS}/1/{way}", headers=admin.bearer)


@pytest.mark.parametrize(("way", "status"), [("secret", 200), ("revoke", 200), ("delete", 204)])
def test_the_old_secret_and_every_token_end_at_once(
    client: TestClient, admin: Person, alice: Person, database: Database, way: str, status: int
) -> None:
    issued = made(create(client, admin))
    own = bearer(client, issued)
    person = grant(client, issued, grant_type="password", username="alice", password=PASSWORD)
    of_alice = {"Authorization": f"Bearer {made(person)['access_token']}"}
    by_v2 = {"client_id": issued["client_id"], "client_secret": issued["client_secret"]}
    second = {"Authorization": f"Bearer {made(client.post('/api/v2/auth', json=by_v2))['access_token']}"}
    tokens = (own, of_alice, second)
    assert [client.get("/ai/models", headers=token).status_code for token in tokens] == [200] * 3
    assert ends(client, admin, way).status_code == status
    assert [client.get("/ai/models", headers=token).status_code for token in tokens] == [401] * 3
    assert grant(client, issued).status_code == 401
    assert client.post("/api/v2/auth", json=by_v2).status_code == 401
    # Her own login, which has nothing to do with the client, stays.
    assert client.get("/ai/models", headers=alice.bearer).status_code == 200


def test_a_new_secret_works_also_for_a_client_that_was_revoked(
    client: TestClient, admin: Person, database: Database
) -> None:
    issued = made(create(client, admin))
    old = bearer(client, issued)
    revoked = made(ends(client, admin, "revoke"))
    assert revoked["revoked"].endswith("+00:00")
    assert made(ends(client, admin, "revoke")) == revoked
    renewed = made(ends(client, admin, "secret"))
    assert renewed["revoked"] is None
    assert renewed["client_id"] == issued["client_id"]
    assert renewed["client_secret"] != issued["client_secret"]
    assert client.get("/ai/agents", headers=bearer(client, renewed)).status_code == 200
    assert client.get("/ai/agents", headers=old).status_code == 401
    assert grant(client, issued).status_code == 401


def test_what_was_deleted_is_gone(client: TestClient, admin: Person, database: Database) -> None:
    made(create(client, admin))
    response = ends(client, admin, "delete")
    assert (response.status_code, response.content) == (204, b"")
    assert api_client_rows(database) == []
    assert made(create(client, admin))["id"] == 2


def test_an_agent_outlives_its_client_in_the_list(client: TestClient, admin: Person) -> None:
    issued = made(create(client, admin, role="agent"))
    token = bearer(client, issued)
    made(client.post("/agent_service/api/v1/agents", headers=token, json={}))
    assert ends(client, admin, "delete").status_code == 204
    assert [agent["name"] for agent in made(client.get("/ai/agents", headers=admin.bearer))] == ["Nightly"]


def test_a_public_client_has_no_secret(client: TestClient, admin: Person, database: Database) -> None:
    issued = made(create(client, admin, role="login", is_public=True, redirect_uris=[CALLBACK]))
    assert issued["is_public"] is True
    assert issued["client_secret"] is None
    assert [row[3] for row in api_client_rows(database)] == [None]
    response = ends(client, admin, "secret")
    assert (response.status_code, response.json()) == (400, {"message": "A public client has no secret."})
    answer = grant(client, {**issued, "client_secret": ""})
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    for secret in ("None", "null", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"):
        assert grant(client, {**issued, "client_secret": secret}).status_code == 401
    response = client.post("/api/v2/auth", json={"client_id": issued["client_id"], "client_secret": "x"})
    assert response.status_code == 401


@pytest.mark.parametrize(
    "fields",
    [
        {"role": "login", "grants": ["client_credentials"]},
        {"role": "login", "grants": ["authorization_code", "client_credentials"]},
        {"role": "login", "is_public": True, "grants": ["password"]},
        {"role": "agent", "is_public": True},
    ],
)
def test_grants_that_do_not_fit_are_refused(
    client: TestClient, admin: Person, database: Database, fields: dict[str, Any]
) -> None:
    response = create(client, admin, **fields)
    assert response.status_code == 400
    assert api_client_rows(database) == []


def test_a_client_for_logins_has_no_rights_of_its_own(
    client: TestClient, admin: Person, app: Server, database: Database
) -> None:
    issued = made(create(client, admin, role="login"))
    credentials = {"client_id": issued["client_id"], "client_secret": issued["client_secret"]}
    assert client.post("/api/v2/auth", json=credentials).status_code == 401
    # A token that stands for such a client opens nothing, whatever issued it.
    with database.reading() as session:
        row = session.get_one(tables.ApiClient, issued["id"])
    token, _ = token_for_client(app.state.parts.tokens, row, lifetime=600)
    own = {"Authorization": f"Bearer {token}"}
    for method, path in (
        ("GET", "/ai/agents"),
        ("GET", "/ai/audit"),
        ("POST", "/ai/screenshots"),
        ("POST", "/agent_service/api/v1/agents"),
        ("GET", CLIENTS),
    ):
        assert client.request(method, path, headers=own, json={}).status_code == 401
    # People log in through it where it was granted that.
    through = made(create(client, admin, name="other", role="login", grants=["password"]))
    assert (
        grant(client, through, grant_type="password", username="admin", password=PASSWORD).status_code == 200
    )


@pytest.mark.parametrize("way", ["revoke", "secret", "delete"])
def test_nobody_logs_in_through_a_client_that_was_refused_while_the_password_was_checked(
    client: TestClient,
    admin: Person,
    alice: Person,
    app: Server,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    issued = made(create(client, admin))
    verify = app.state.parts.passwords.verify

    def verify_slowly(password: str, hashed: str | None) -> bool:
        assert ends(client, admin, way).status_code in {200, 204}
        return verify(password, hashed)

    monkeypatch.setattr(app.state.parts.passwords, "verify", verify_slowly)
    response = grant(client, issued, grant_type="password", username="alice", password=PASSWORD)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_grant")


@pytest.mark.slow
def test_of_secrets_that_are_made_at_once_one_is_good(
    client: TestClient, admin: Person, database: Database
) -> None:
    made(create(client, admin))
    with ThreadPoolExecutor(8) as threads:
        issued = [made(answer) for answer in threads.map(lambda _: ends(client, admin, "secret"), range(8))]
    assert [row[4] for row in api_client_rows(database)] == [8]
    assert sorted(grant(client, each).status_code for each in issued) == [200, *[401] * 7]


@pytest.mark.slow
def test_of_clients_of_one_name_that_are_made_at_once_one_is_stored(
    client: TestClient, admin: Person, database: Database
) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: create(client, admin, client_id="client:dai"), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]
    assert len(api_client_rows(database)) == 1
