"""Each change that matters for security is written down once, with its change or not at all."""

from collections.abc import Callable

from sqlalchemy import select, text

from opendai import tables
from opendai.auth.audit import Actor, Audit
from opendai.database import Database
from tests.arranging.audit import AUDIT, CANARY, LICENSE, MAIL, done, events, one_event
from tests.conftest import PASSWORD, Person, Program
from tests.inprocess import TestClient

TOKENS = "/auth/realms/eggplant/protocol/openid-connect/token"


def what(event: tables.AuditEvent) -> tuple[str, str, dict[str, object]]:
    return event.action, event.target, event.details


def test_an_event_says_who_did_what_from_where(
    client: TestClient, audited_admin: Person, database: Database
) -> None:
    headers = {**audited_admin.bearer, "X-Request-ID": "nightly-4711"}
    group = done(client.post("/ai/groups", headers=headers, json={"groupname": "testers"}))
    event = one_event(database)
    assert what(event) == ("group.create", f"group:{group['id']}", {"groupname": "testers"})
    assert (event.actor_kind, event.actor) == ("user", "admin")
    assert (event.address, event.request_id) == ("203.0.113.9", "nightly-4711")


def test_a_program_is_named_as_a_program(client: TestClient, ci: Program, database: Database) -> None:
    done(client.post("/ai/groups", headers=ci.bearer, json={"groupname": "testers"}))
    event = one_event(database)
    assert (event.actor_kind, event.actor) == ("client", "ci")
    assert len(event.request_id or "") == 32


def test_the_life_of_a_user(
    client: TestClient, audited_admin: Person, database: Database, forget_events: Callable[[], None]
) -> None:
    body = {"username": "dora", "role": "User", "groups": ["shop"], "password": CANARY}
    user = done(client.post("/ai/users", headers=audited_admin.bearer, json=body))
    target, path = f"user:{user['id']}", f"/ai/users/{user['id']}"
    facts = {"username": "dora", "role": "User", "groups": ["shop"]}
    assert what(one_event(database)) == ("user.create", target, facts)
    for change, details in (
        ({"role": "Admin"}, {"role": {"from": "User", "to": "Admin"}}),
        ({"groups": []}, {"groups": {"from": ["shop"], "to": []}}),
        ({"password": f"{CANARY} too"}, {"password_set": True}),
        ({"username": "dorothy"}, {"username": {"from": "dora", "to": "dorothy"}}),
        (
            {"role": "User", "groups": ["shop"], "password": CANARY, "username": "dora"},
            {
                "username": {"from": "dorothy", "to": "dora"},
                "role": {"from": "Admin", "to": "User"},
                "groups": {"from": [], "to": ["shop"]},
                "password_set": True,
            },
        ),
    ):
        forget_events()
        done(client.put(path, headers=audited_admin.bearer, json=change))
        assert what(one_event(database)) == ("user.update", target, details)
    forget_events()
    done(client.delete(path, headers=audited_admin.bearer))
    assert what(one_event(database)) == ("user.delete", target, facts)


def test_somebody_who_sets_their_own_password_is_the_actor(
    client: TestClient, audited_admin: Person, alice: Person, database: Database
) -> None:
    done(client.put(f"/ai/users/{alice.id}", headers=alice.bearer, json={"password": CANARY}))
    event = one_event(database)
    assert (event.actor, *what(event)) == ("alice", "user.update", f"user:{alice.id}", {"password_set": True})


def test_the_life_of_a_group(
    client: TestClient, audited_admin: Person, database: Database, forget_events: Callable[[], None]
) -> None:
    group = done(client.post("/ai/groups", headers=audited_admin.bearer, json={"groupname": "testers"}))
    target, path = f"group:{group['id']}", f"/ai/groups/{group['id']}"
    forget_events()
    done(client.put(path, headers=audited_admin.bearer, json={"groupname": "quality"}))
    change = {"groupname": {"from": "testers", "to": "quality"}}
    assert what(one_event(database)) == ("group.update", target, change)
    forget_events()
    done(client.delete(path, headers=audited_admin.bearer))
    assert what(one_event(database)) == ("group.delete", target, {"groupname": "quality"})


def test_the_life_of_an_api_client(
    client: TestClient, audited_admin: Person, database: Database, forget_events: Callable[[], None]
) -> None:
    body = {"name": "Nightly", "role": "agent", "client_id": "client:dai", "description": "Walks at night."}
    issued = done(client.post("/api_clients", headers=audited_admin.bearer, json=body))
    target, path = f"api_client:{issued['id']}", f"/api_clients/{issued['id']}"
    facts = {**body, "grants": ["client_credentials"], "redirect_uris": []}
    assert what(one_event(database)) == ("api_client.create", target, {**facts, "is_public": False})
    forget_events()
    done(client.patch(path, headers=audited_admin.bearer, json={"name": "Weekly"}))
    change = {"name": {"from": "Nightly", "to": "Weekly"}}
    assert what(one_event(database)) == ("api_client.update", target, change)
    facts["name"] = "Weekly"
    for method, part, action in (
        ("POST", "/secret", "api_client.regenerate"),
        ("POST", "/revoke", "api_client.revoke"),
        ("DELETE", "", "api_client.delete"),
    ):
        forget_events()
        done(client.request(method, path + part, headers=audited_admin.bearer))
        assert what(one_event(database)) == (action, target, facts)


def test_licenses_and_the_mail_server(
    client: TestClient, audited_admin: Person, database: Database, forget_events: Callable[[], None]
) -> None:
    done(client.post("/ai/licenses", headers=audited_admin.bearer, json=LICENSE))
    terms = {"users": 50, "executions": None, "expires_at": "2028-01-01T00:00:00Z"}
    assert what(one_event(database)) == ("license.create", "license:4711", terms)
    forget_events()
    done(client.delete("/ai/licenses/4711", headers=audited_admin.bearer))
    assert what(one_event(database)) == ("license.delete", "license:4711", {})
    for given, password in (({"password": CANARY}, "new"), ({}, "kept"), ({"password": ""}, "none")):
        forget_events()
        done(client.put("/ai/smtp", headers=audited_admin.bearer, json={**MAIL, **given}))
        facts = {**MAIL, "username": "", "password": password}
        assert what(one_event(database)) == ("smtp.update", "smtp", facts)


def test_logging_in_and_out(
    client: TestClient,
    audited_admin: Person,
    alice: Person,
    database: Database,
    forget_events: Callable[[], None],
) -> None:
    credentials = {"username": "alice", "password": PASSWORD}
    session = done(client.post("/ai/auth", json=credentials))
    event = one_event(database)
    assert what(event) == ("login", f"user:{alice.id}", {})
    assert (event.actor_kind, event.actor, event.address) == ("user", "alice", "203.0.113.9")
    forget_events()
    done(client.delete("/ai/auth", headers={"Authorization": f"Bearer {session['access_token']}"}))
    event = one_event(database)
    assert (event.actor, *what(event)) == ("alice", "logout", f"user:{alice.id}", {})


def test_logging_in_through_a_program(
    client: TestClient, audited_admin: Person, alice: Person, ci: Program, database: Database
) -> None:
    form = {"grant_type": "password", "client_id": ci.client_id, "client_secret": ci.secret}
    done(client.post(TOKENS, data={**form, "username": "alice", "password": PASSWORD}))
    assert what(one_event(database)) == ("login", f"user:{alice.id}", {"client": ci.client_id})


def test_no_secret_is_ever_in_an_event(
    client: TestClient, audited_admin: Person, ci: Program, database: Database
) -> None:
    user = done(
        client.post("/ai/users", headers=audited_admin.bearer, json={"username": "dora", "password": CANARY})
    )
    done(
        client.put(f"/ai/users/{user['id']}", headers=audited_admin.bearer, json={"password": f"{CANARY} 2"})
    )
    done(client.put("/ai/smtp", headers=audited_admin.bearer, json={**MAIL, "password": CANARY}))
    session = done(client.post("/ai/auth", json={"username": "dora", "password": f"{CANARY} 2"}))
    form = {"grant_type": "password", "client_id": ci.client_id, "client_secret": ci.secret}
    token = done(client.post(TOKENS, data={**form, "username": "dora", "password": f"{CANARY} 2"}))
    created = done(client.post("/api_clients", headers=audited_admin.bearer, json={"name": "nightly"}))
    renewed = done(client.post(f"/api_clients/{created['id']}/secret", headers=audited_admin.bearer))
    bearer = session["access_token"]
    done(client.delete("/ai/auth", headers={"Authorization": f"Bearer {bearer}"}))
    secrets = [CANARY, ci.secret, created["client_secret"], renewed["client_secret"], PASSWORD, bearer]
    with database.reading() as reading:
        stored = str([tuple(row) for row in reading.execute(text("SELECT * FROM audit_events"))])
        hashes = list(reading.scalars(select(tables.User.password_hash)))
        hashes += list(reading.scalars(select(tables.ApiClient.secret_sha256)))
    shown = client.get(AUDIT, headers=audited_admin.bearer).text
    assert len(events(database)) == 8
    for secret in (*secrets, token["access_token"], *hashes):
        assert secret
        assert secret not in stored + shown


def test_values_are_bounded(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        audit = Audit(session, Actor.of_command())
        audit.record(
            "user.update", "user:1", text="x" * 301, many=["y"] * 101, inner={"z": ["w" * 9999]}, n=7
        )
    details = one_event(database).details
    assert details == {
        "text": f"{'x' * 300}…",
        "many": ["y"] * 100,
        "inner": {"z": [f"{'w' * 300}…"]},
        "n": 7,
    }
