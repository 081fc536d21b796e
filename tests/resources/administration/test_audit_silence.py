"""A request that is refused, or changes nothing that matters for security, leaves no audit event."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from opendai import tables
from opendai.auth.audit import Actor, Audit
from opendai.database import Database
from tests.arranging.audit import CANARY, LICENSE, MAIL, done, events, one_event
from tests.conftest import PASSWORD, Person, Program
from tests.inprocess import TestClient

UNCHANGED: list[tuple[str, str, dict[str, Any] | None]] = [
    ("PUT", "/ai/users/{alice}", {"username": "alice", "role": "User", "groups": ["shop"]}),
    ("PUT", "/ai/users/{alice}", {"hide_welcome_popup": True}),
    ("POST", "/ai/users/{alice}/welcome_popup", {"hide_welcome_popup": True}),
    ("PUT", "/ai/groups/{shop}", {"groupname": "shop"}),
    ("PATCH", "/api_clients/{ci}", {"name": "ci", "redirect_uris": []}),
    ("PATCH", "/ai/licenses", None),
    ("GET", "/ai/audit", None),
]


REFUSED: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", "/ai/users", {"username": "alice", "password": CANARY}),
    ("POST", "/ai/users", {"username": "dora", "password": "short"}),
    ("POST", "/ai/users", {"username": "dora", "groups": ["void"]}),
    ("PUT", "/ai/users/{admin}", {"role": "User", "password": CANARY}),
    ("PUT", "/ai/users/{alice}", {"username": "shop", "password": CANARY}),
    ("PUT", "/ai/users/987654321", {"password": CANARY}),
    ("DELETE", "/ai/users/{admin}", None),
    ("DELETE", "/ai/users/987654321", None),
    ("POST", "/ai/groups", {"groupname": "shop"}),
    ("PUT", "/ai/groups/{shop}", {"groupname": "admin"}),
    ("DELETE", "/ai/groups/987654321", None),
    ("POST", "/api_clients", {"name": "ci"}),
    ("POST", "/api_clients?format=ini", {"name": "nightly"}),
    ("POST", "/api_clients/{ci}/secret?format=ini", None),
    ("PATCH", "/api_clients/{ci}", {"name": ""}),
    ("POST", "/api_clients/987654321/revoke", None),
    ("DELETE", "/api_clients/987654321", None),
    ("POST", "/ai/licenses", {**LICENSE, "license": "no license"}),
    ("DELETE", "/ai/licenses/987654321", None),
    ("PUT", "/ai/smtp", {**MAIL, "serverhost": "127.0.0.1", "password": CANARY}),
    ("POST", "/api/rest/latest/ai-servers", {"name": "Llama", "url": "http://127.0.0.1/v1"}),
    ("DELETE", "/api/rest/latest/ai-servers/987654321", None),
    ("POST", "/ai/auth", {"username": "alice", "password": "wrong"}),
    ("POST", "/ai/auth", {"username": "stranger", "password": PASSWORD}),
    ("DELETE", "/ai/auth", None),
]


@pytest.fixture
def ask(
    client: TestClient, audited_admin: Person, alice: Person, ci: Program, database: Database
) -> Callable[..., Any]:
    with database.reading() as session:
        shop = session.scalar(select(tables.Group.id).where(tables.Group.name == "shop"))

    def send(method: str, path: str, body: dict[str, Any] | None, bearer: dict[str, str]) -> Any:
        path = path.format(admin=audited_admin.id, alice=alice.id, ci=ci.id, shop=shop)
        return client.request(method, path, headers=bearer, json=body)

    return send


@pytest.mark.parametrize(("method", "path", "body"), UNCHANGED)
def test_what_changes_nothing_that_matters_is_not_written_down(
    ask: Callable[..., Any], audited_admin: Person, database: Database, method: str, path: str, body: Any
) -> None:
    done(ask(method, path, body, audited_admin.bearer))
    assert events(database) == []


@pytest.mark.parametrize(("method", "path", "body"), REFUSED)
def test_what_is_refused_is_not_written_down(
    ask: Callable[..., Any], audited_admin: Person, database: Database, method: str, path: str, body: Any
) -> None:
    bearer = {"Authorization": "Bearer x.y.z"} if path == "/ai/auth" else audited_admin.bearer
    assert 400 <= ask(method, path, body, bearer).status_code < 500
    assert events(database) == []


@pytest.mark.parametrize(("method", "path", "body"), REFUSED[:-3])
def test_nothing_is_written_down_of_whoever_may_not(
    ask: Callable[..., Any], lab: Program, database: Database, method: str, path: str, body: Any
) -> None:
    assert 400 <= ask(method, path, body, lab.bearer).status_code < 500
    assert events(database) == []


def test_revoking_twice_is_written_down_once(
    client: TestClient, audited_admin: Person, ci: Program, database: Database
) -> None:
    for _ in range(2):
        done(client.post(f"/api_clients/{ci.id}/revoke", headers=audited_admin.bearer))
    assert one_event(database).action == "api_client.revoke"


def test_an_event_is_rolled_back_with_its_change(
    client: TestClient, audited_admin: Person, database: Database
) -> None:
    def fail_after_recording() -> None:
        with database.writing() as session:
            session.add(tables.Group(name="testers"))
            Audit(session, Actor.of_command()).record("group.create", "group:1")
            session.flush()
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail_after_recording()
    assert events(database) == []
