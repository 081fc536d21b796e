"""/ai/smtp."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from opendai import tables
from opendai.api.server import Server
from opendai.database import Database
from opendai.resources.administration.smtp import MASK
from tests.arranging.parts import with_settings
from tests.conftest import Person, Program
from tests.inprocess import TestClient

GIVEN = {
    "id": 1,
    "serverhost": "mail.example.com",
    "username": "qa",
    "password": "a secret of the mail server",
    "port": 587,
    "recipient": "qa+dai@example.com",
}
SHOWN = {**GIVEN, "password": MASK}
UNSET = {"id": 1, "serverhost": "", "username": "", "password": "", "port": 25, "recipient": ""}


def put(client: TestClient, admin: Person, **change: Any) -> Any:
    return client.put("/ai/smtp", headers=admin.bearer, json={**GIVEN, **change})


def stored_password(app: Server, database: Database) -> str | None:
    with database.reading() as session:
        sealed = session.scalars(select(tables.MailServer.password)).one()
    return app.state.parts.secret_key.decrypt(sealed, place="smtp:1:password").decode() if sealed else None


def test_before_anything_is_set_the_texts_are_empty(client: TestClient, admin: Person) -> None:
    response = client.get("/ai/smtp", headers=admin.bearer)
    assert (response.status_code, response.json()) == (200, UNSET)


def test_the_password_is_kept_encrypted_and_shown_as_a_mask(
    client: TestClient, admin: Person, app: Server, database: Database
) -> None:
    response = put(client, admin, surprise=1)
    assert (response.status_code, response.json()) == (200, SHOWN)
    assert client.get("/ai/smtp", headers=admin.bearer).json() == SHOWN
    assert stored_password(app, database) == GIVEN["password"]
    with database.reading() as session:
        row = session.scalars(select(tables.MailServer)).one()
        assert b"secret" not in (row.password or b"")
        assert str(GIVEN["password"]) not in repr(vars(row))


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"password": MASK}, True),
        ({"password": MASK, "port": 25, "username": "other", "recipient": "x@example.com"}, True),
        ({"password": MASK, "serverhost": "MAIL.example.com"}, True),
        ({"password": MASK, "serverhost": "mail.evil.example"}, False),
        ({"password": ""}, False),
    ],
)
def test_the_mask_keeps_the_password_as_long_as_the_host_stays(
    client: TestClient, admin: Person, app: Server, database: Database, change: dict[str, Any], kept: bool
) -> None:
    put(client, admin)
    response = put(client, admin, **change)
    assert response.status_code == 200
    assert response.json()["password"] == (MASK if kept else "")
    assert stored_password(app, database) == (GIVEN["password"] if kept else None)


def test_a_password_that_is_left_out_is_kept_too(
    client: TestClient, admin: Person, app: Server, database: Database
) -> None:
    put(client, admin)
    body = {"serverhost": "mail.example.com", "port": 25, "recipient": "qa@example.com"}
    response = client.put("/ai/smtp", headers=admin.bearer, json=body)
    assert response.json() == {"id": 1, "username": "", "password": MASK, **body}
    assert stored_password(app, database) == GIVEN["password"]


def test_another_host_with_a_new_password_takes_it(
    client: TestClient, admin: Person, app: Server, database: Database
) -> None:
    put(client, admin)
    response = put(client, admin, serverhost="mail.example.org", password="new")
    assert response.json() == {**SHOWN, "serverhost": "mail.example.org"}
    assert stored_password(app, database) == "new"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("serverhost", ""),
        ("serverhost", "a b"),
        ("serverhost", "http://mail.example.com"),
        ("serverhost", "mail.example.com:25"),
        ("serverhost", "mail.example.com\r\nRSET"),
        ("serverhost", "①②⑦.⓪.⓪.①"),
        ("serverhost", "127.0.0.1"),
        ("serverhost", "127.1"),
        ("serverhost", "2130706433"),
        ("serverhost", "0x7f000001"),
        ("serverhost", "10.0.0.9"),
        ("serverhost", "169.254.169.254"),
        ("serverhost", "::1"),
        ("serverhost", "::ffff:127.0.0.1"),
        ("serverhost", "64:ff9b::7f00:1"),
        ("serverhost", "2002:7f00:1::"),
        ("port", 0),
        ("port", 65_536),
        ("port", "smtp"),
        ("port", None),
        ("recipient", ""),
        ("recipient", "qa"),
        ("recipient", "a@b.example, c@d.example"),
        ("recipient", "QA <qa@example.com>"),
        ("recipient", "qa@example.com>\r\nDATA"),
        ("recipient", "qa@example.com\nBcc: x@example.com"),
        ("username", "a\nb"),
        ("username", None),
        ("password", "a\u0000b"),
        ("password", "x" * 1025),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    client: TestClient, admin: Person, app: Server, database: Database, field: str, value: Any
) -> None:
    put(client, admin)
    response = put(client, admin, **{field: value})
    assert response.status_code == 400
    assert [fault["field"] for fault in response.json()["errors"]] == [field]
    assert client.get("/ai/smtp", headers=admin.bearer).json() == SHOWN
    assert stored_password(app, database) == GIVEN["password"]


@pytest.fixture
def private_allowed(app: Server) -> Iterator[None]:
    with with_settings(app, smtp_allow_private=True):
        yield


def test_a_relay_in_the_house_needs_the_setting(
    client: TestClient, admin: Person, private_allowed: None
) -> None:
    assert put(client, admin, serverhost="10.0.0.9").json()["serverhost"] == "10.0.0.9"


def test_only_administrators_see_and_set_it(
    client: TestClient, admin: Person, alice: Person, nobody: Person, lab: Program
) -> None:
    put(client, admin)
    for method in ("GET", "PUT"):
        for person in (alice, nobody, lab):
            body = {**GIVEN, "recipient": "other@example.com"}
            response = client.request(method, "/ai/smtp", headers=person.bearer, json=body)
            assert response.status_code == 403
            assert response.json() == {"message": "This needs an administrator's rights."}
    assert client.get("/ai/smtp", headers=admin.bearer).json() == SHOWN
