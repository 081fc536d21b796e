"""The rows of people for whom an outside identity provider vouches."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event, select

from opendai import tables
from opendai.api.server import Server
from opendai.auth.audit import Actor, Audit
from opendai.credentials import outside as outside_module
from opendai.database import Database
from opendai.errors import Conflict
from opendai.resources.accounts import outside_users
from opendai.resources.accounts.users.repository import UserRepository
from tests.conftest import PASSWORD, Person, Program
from tests.credentials.outside.provider import Provider, TokenOf, Use, me, people
from tests.inprocess import TestClient


def test_a_person_comes_with_a_token_and_is_a_user_from_then_on(
    client: TestClient, database: Database, token: TokenOf
) -> None:
    headers = token("erin", "user", "other")
    assert client.get("/ai/models", headers=headers).json() == []
    assert people(database) == {"erin": ("User", ["erin"])}
    assert client.get("/ai/users", headers=headers).status_code == 403
    with database.reading() as session:
        user = session.scalars(select(tables.User)).one()
    assert user.password_hash is None
    assert user.outside_subject is not None
    status, body = me(client, headers)
    assert (status, body["payload"]["user"]) == (
        200,
        {"username": "erin", "role": "user", "is_service": False},
    )


def test_a_new_token_changes_the_role_and_an_older_one_does_not_change_it_back(
    client: TestClient, database: Database, token: TokenOf
) -> None:
    now = int(time.time())
    old = token("erin", "admin", iat=now - 60)
    assert client.get("/ai/users", headers=old).status_code == 200
    older = token("erin", "admin", iat=now - 90)
    assert client.get("/ai/users", headers=token("erin", "user", iat=now)).status_code == 403
    for headers in (old, older):
        assert client.get("/ai/users", headers=headers).status_code == 403
    assert people(database) == {"erin": ("User", ["erin"])}


def test_a_token_is_settled_once(
    client: TestClient,
    use: Use,
    app: Server,
    provider: Provider,
    token: TokenOf,
    monkeypatch,
) -> None:
    settled: list[str] = []
    outside = app.state.parts.outside
    assert outside
    settle = outside._settle

    def note_and_settle(claims: Any) -> Any:
        settled.append(claims.jti)
        return settle(claims)

    monkeypatch.setattr(outside, "_settle", note_and_settle)
    headers = token("erin", "user")
    for _ in range(3):
        assert me(client, headers)[0] == 200
    assert len(settled) == 1
    me(client, token("erin", "user"))
    assert len(settled) == 2


def test_a_known_token_is_read_in_one_question(
    client: TestClient, database: Database, token: TokenOf, alice: Person
) -> None:
    headers = token("erin", "user")
    me(client, headers)
    questions: list[str] = []

    def note(*given: Any) -> None:
        is_of_the_worker = threading.current_thread().name.startswith("opendai-")
        if given[2].startswith("SELECT") and not is_of_the_worker:
            questions.append(given[2])

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        assert me(client, headers)[0] == 200
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    assert len(questions) == 1


def test_what_is_remembered_does_not_grow_without_end(
    client: TestClient, app: Server, token: TokenOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside_module, "_REMEMBERED", 2)
    now = int(time.time())
    tokens = [token("erin", "user", iat=now - 9, exp=now - 8), *(token("erin", "user") for _ in range(4))]
    assert [me(client, headers)[0] for headers in tokens] == [200] * 5
    outside = app.state.parts.outside
    assert outside
    assert len(outside._settled) <= 2


def test_service_accounts_are_users_too(client: TestClient, database: Database, token: TokenOf) -> None:
    headers = token("service-account-ci", "user", client_id="ci", azp="ci")
    assert client.get("/ai/models", headers=headers).status_code == 200
    assert people(database) == {"service-account-ci": ("User", ["service-account-ci"])}
    # Agents keep the API clients of this server.
    assert client.post("/agent_service/api/v1/agents/disconnect", headers=headers).status_code == 403


def test_a_name_of_a_local_user_or_group_is_never_taken_over(
    client: TestClient, database: Database, token: TokenOf, admin: Person, alice: Person
) -> None:
    before = people(database)
    for name in ("admin", "alice", "shop"):
        status, body = me(client, token(name, "admin"))
        assert status == 403
        assert body == {
            "message": f'"{name}" is the name of a user or a group of this server, which an outside identity provider '
            "cannot take over."
        }
    assert people(database) == before


def test_two_people_of_one_name_are_two_people(
    client: TestClient, database: Database, token: TokenOf
) -> None:
    assert me(client, token("erin", "user"))[0] == 200
    assert me(client, token("erin", "admin", sub="another"))[0] == 403
    assert people(database) == {"erin": ("User", ["erin"])}


def test_a_person_keeps_the_username_they_came_with(
    client: TestClient, database: Database, token: TokenOf
) -> None:
    me(client, token("erin", "user", sub="e"))
    me(client, token("erin.new", "user", sub="e"))
    assert people(database) == {"erin": ("User", ["erin"])}


def test_nobody_new_is_let_in_where_the_settings_say_so(
    client: TestClient, database: Database, use: Use, token: TokenOf
) -> None:
    assert me(client, token("erin", "user"))[0] == 200
    use(oidc_create_users=False)
    assert me(client, token("erin", "user"))[0] == 200
    status, body = me(client, token("frank", "user"))
    assert status == 403
    assert body == {"message": 'There is no user "frank", and the settings allow no new users.'}
    assert list(people(database)) == ["erin"]


def test_the_licenses_bound_how_many_are_let_in(
    client: TestClient, database: Database, token: TokenOf, admin: Person
) -> None:
    license_text = {"serialnumber": 1, "license": '{"users": 2}', "eula_accepted": True}
    assert client.post("/ai/licenses", headers=admin.bearer, json=license_text).status_code == 200
    assert me(client, token("erin", "user"))[0] == 200
    status, body = me(client, token("frank", "user"))
    assert (status, body) == (403, {"message": "The licenses are used up (users: 2)."})
    assert me(client, token("grace"))[0] == 200
    assert me(client, token("grace", "user"))[0] == 403
    assert sorted(people(database)) == ["admin", "erin", "grace"]


def test_a_deleted_user_has_no_token_any_more(
    client: TestClient, database: Database, token: TokenOf, admin: Person
) -> None:
    headers = token("erin", "user")
    me(client, headers)
    user_id = next(
        user["id"]
        for user in client.get("/ai/users", headers=admin.bearer).json()
        if user["username"] == "erin"
    )
    assert client.delete(f"/ai/users/{user_id}", headers=admin.bearer).status_code == 200
    assert client.get("/ai/models", headers=headers).status_code == 401


def test_logging_out_ends_this_one_token(client: TestClient, token: TokenOf) -> None:
    one, two = token("erin", "user"), token("erin", "user", jti=None)
    assert client.delete("/ai/auth", headers=one).json() == {}
    assert client.get("/ai/models", headers=one).status_code == 401
    assert client.get("/ai/models", headers=two).status_code == 200
    assert client.delete("/ai/auth", headers=two).json() == {}
    assert client.get("/ai/models", headers=two).status_code == 401


def test_who_logs_in_elsewhere_gets_no_password_here(
    client: TestClient, database: Database, token: TokenOf, admin: Person
) -> None:
    headers = token("erin", "user")
    me(client, headers)
    with database.reading() as session:
        erin = session.scalars(select(tables.User).where(tables.User.username == "erin")).one()
    for asking in (headers, admin.bearer):
        response = client.put(f"/ai/users/{erin.id}", headers=asking, json={"password": PASSWORD})
        assert response.status_code == 409
        assert response.json() == {
            "message": "erin logs in at the identity provider and has no password here."
        }
    with database.writing() as session, pytest.raises(Conflict):
        UserRepository(session).set_password("erin", "a hash", Audit(session, Actor.of_command()))
    assert client.post("/ai/auth", json={"username": "erin", "password": PASSWORD}).status_code == 404


def test_our_own_tokens_and_passwords_go_on(
    client: TestClient, use: Use, provider: Provider, ci: Program, alice: Person
) -> None:
    assert client.get("/ai/models", headers=alice.bearer).status_code == 200
    assert client.get("/ai/users", headers=ci.bearer).status_code == 200
    assert client.post("/ai/auth", json={"username": "alice", "password": PASSWORD}).status_code == 200
    assert provider.asked == []


def test_who_loses_the_race_for_their_own_name_is_let_in(
    client: TestClient, database: Database, token: TokenOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = outside_users._write
    tries: list[str] = []

    def lose_once(*given: Any) -> None:
        write(*given)
        tries.append(given[2].username)
        if len(tries) == 1:
            raise Conflict("The name was taken in this moment.")

    monkeypatch.setattr(outside_users, "_write", lose_once)
    assert me(client, token("erin", "user"))[0] == 200
    assert tries == ["erin", "erin"]
    assert people(database) == {"erin": ("User", ["erin"])}


@pytest.mark.slow
def test_two_first_requests_at_once_make_one_user(
    client: TestClient, database: Database, use: Use, token: TokenOf
) -> None:
    headers = [token("erin", "user") for _ in range(8)]
    assert me(client, token("frank", "user"))[0] == 200
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda given: client.get("/ai/models", headers=given).status_code, headers))
    assert answers == [200] * 8
    assert people(database)["erin"] == ("User", ["erin"])
