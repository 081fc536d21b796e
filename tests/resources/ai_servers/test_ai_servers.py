"""/api/rest/latest/ai-servers: creating, reading, changing and deleting."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from opendai.api.dialect import Refusal
from opendai.api.hal import worded
from opendai.database import Database
from opendai.errors import PreconditionFailed
from tests.conftest import Person, Program
from tests.inprocess import TestClient
from tests.resources.ai_servers.asking import GIVEN, SERVERS, create, link, names

STAMP = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")
ADMINISTRATORS_ONLY = {"message": "This needs an administrator's rights."}


def test_create_an_ai_server(client: TestClient, admin: Person, database: Database) -> None:
    response = client.post(
        SERVERS, headers=admin.bearer, json={**GIVEN, "id": 99, "created_by": "me", "x": 1}
    )
    body = response.json()
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/json"
    assert STAMP.fullmatch(body["created_on"])
    assert list(body.items()) == [
        ("id", 1),
        *GIVEN.items(),
        ("authentication_policy", "APP_LEVEL"),
        ("authentication_protocol", "TOKEN_AUTH"),
        ("created_by", "admin"),
        ("created_on", body["created_on"]),
        ("last_modified_by", "admin"),
        ("last_modified_on", body["created_on"]),
        ("_links", link("/1")),
    ]
    assert client.get(f"{SERVERS}/1", headers=admin.bearer).json() == body
    assert names(database) == ["House model"]


def test_only_the_name_and_the_address_are_needed(client: TestClient, ci: Program) -> None:
    given = {"name": "  Bare\n", "url": "\thttp://llm.example:8080/v1?a=b "}
    response = client.post(SERVERS, headers=ci.bearer, json=given)
    body = response.json()
    assert response.status_code == 201
    assert (body["name"], body["url"]) == ("Bare", "http://llm.example:8080/v1?a=b")
    assert [body[field] for field in ("description", "payload_template", "json_path")] == [None, None, None]
    assert body["created_by"] == "ci"


def test_the_extensions_are_shown_where_they_have_a_value(client: TestClient, admin: Person) -> None:
    extensions = {
        "authentication_header": "X-Api-Key",
        "authentication_scheme": "",
        "timeout_seconds": 300,
    }
    body = create(client, admin, **extensions)
    assert {field: body[field] for field in extensions} == extensions
    unset = dict.fromkeys(extensions)
    changed = client.patch(f"{SERVERS}/1", headers=admin.bearer, json=unset).json()
    assert not set(extensions) & set(changed)


@pytest.mark.parametrize("kind", [None, "application/json; charset=utf-8", "application/hal+json", "*/*"])
@pytest.mark.parametrize("accepted", ["application/json", "application/hal+json", "*/*", "text/html"])
def test_known_clients_are_never_told_that_a_media_type_is_wrong(
    client: TestClient, admin: Person, kind: str | None, accepted: str
) -> None:
    headers = {**admin.bearer, "Accept": accepted} | ({"Content-Type": kind} if kind else {})
    body = b'{"name": "a", "url": "https://llm.example"}'
    assert client.post(SERVERS, headers=headers, content=body).status_code == 201


def test_a_form_is_no_json(client: TestClient, admin: Person) -> None:
    response = client.post(SERVERS, headers=admin.bearer, data={"name": "a", "url": "https://llm.example"})
    assert (response.status_code, response.json()) == (400, {"message": "body: must be valid JSON"})


@pytest.mark.parametrize("body", ["[1]", "null", "1", '"text"', "{", ""])
def test_a_body_that_is_no_object_is_400(client: TestClient, admin: Person, body: str) -> None:
    headers = {**admin.bearer, "Content-Type": "application/json"}
    for method, path in (("POST", SERVERS), ("PATCH", f"{SERVERS}/1"), ("POST", f"{SERVERS}/1/credentials")):
        response = client.request(method, path, headers=headers, content=body)
        assert response.status_code == 400, (method, path)
        assert set(response.json()) == {"message"}


@pytest.mark.parametrize("template", ["no JSON", "{{ other }}", "", '{"a": "{{requirement}}'])
def test_a_template_is_stored_as_it_is(client: TestClient, admin: Person, template: str) -> None:
    assert create(client, admin, payload_template=template)["payload_template"] == template


def test_a_name_is_of_one_server(client: TestClient, admin: Person, database: Database) -> None:
    create(client, admin)
    create(client, admin, name="Other")
    expected = {
        "fieldValidationErrors": [
            {
                "objectName": "ai-server",
                "fieldName": "name",
                "fieldValue": "House model",
                "errorMessage": "is taken",
            }
        ],
        "message": 'There is an AI server "House model" already.',
    }
    for method, path in (("POST", SERVERS), ("PATCH", f"{SERVERS}/2")):
        response = client.request(method, path, headers=admin.bearer, json={**GIVEN, "name": " House model "})
        assert (response.status_code, response.json()) == (412, expected)
    assert names(database) == ["House model", "Other"]


@pytest.mark.slow
def test_a_name_is_of_one_server_also_when_two_are_created_at_once(
    client: TestClient, admin: Person, database: Database
) -> None:
    def ask(_: int) -> int:
        return client.post(SERVERS, headers=admin.bearer, json=GIVEN).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(ask, range(8))) == [201, *[412] * 7]
    assert names(database) == ["House model"]


def test_a_patch_changes_what_it_names(client: TestClient, admin: Person, ci: Program) -> None:
    created = create(client, admin)
    body = {"description": None, "json_path": "", "authentication_policy": "USER", "id": 7}
    response = client.patch(f"{SERVERS}/1", headers=ci.bearer, json=body)
    changed = response.json()
    assert response.status_code == 200
    assert changed["last_modified_on"] >= created["created_on"]
    assert changed == {
        **created,
        "description": None,
        "json_path": "",
        "last_modified_by": "ci",
        "last_modified_on": changed["last_modified_on"],
    }


@pytest.mark.parametrize("body", [{}, {"name": " House model"}, GIVEN])
def test_a_patch_that_changes_nothing_is_no_modification(
    client: TestClient, admin: Person, ci: Program, body: dict[str, Any]
) -> None:
    created = create(client, admin)
    response = client.patch(f"{SERVERS}/1", headers=ci.bearer, json=body)
    assert (response.status_code, response.json()) == (200, created)


@pytest.mark.parametrize("ids", ["1", "3,1", "1,1,3", ",".join(["2"] * 1000)])
def test_servers_are_deleted_together(
    client: TestClient, admin: Person, database: Database, ids: str
) -> None:
    for name in "abc":
        create(client, admin, name=name)
    response = client.delete(f"{SERVERS}/{ids}", headers={**admin.bearer, "Content-Type": "application/json"})
    assert (response.status_code, response.content) == (204, b"")
    gone = {int(word) for word in ids.split(",")}
    assert names(database) == [name for number, name in enumerate("abc", 1) if number not in gone]


def test_one_id_that_is_not_there_keeps_all(client: TestClient, admin: Person, database: Database) -> None:
    create(client, admin)
    response = client.delete(f"{SERVERS}/1,9,8", headers=admin.bearer)
    assert (response.status_code, response.json()) == (404, {"message": "There is no AI server 9."})
    assert names(database) == ["House model"]


@pytest.mark.parametrize(
    "ids", ["0", "1,", ",1", "1;2", "1, 2", "+1", "1,x", str(2**63), ",".join(["1"] * 1001)]
)
def test_ids_that_cannot_be_are_400(client: TestClient, admin: Person, database: Database, ids: str) -> None:
    create(client, admin)
    response = client.delete(f"{SERVERS}/{ids}", headers=admin.bearer)
    assert response.status_code == 400
    assert set(response.json()) == {"message"}
    assert names(database) == ["House model"]


def test_users_may_read_and_only_administrators_write(
    client: TestClient, admin: Person, alice: Person, nobody: Person, lab: Program, database: Database
) -> None:
    created = create(client, admin)
    assert client.get(f"{SERVERS}/1", headers=alice.bearer).json() == created
    for person in (nobody, lab):
        for path in (SERVERS, f"{SERVERS}/1"):
            response = client.get(path, headers=person.bearer)
            assert (response.status_code, response.json()) == (
                403,
                {"message": "This needs a user's rights."},
            )
    for person in (alice, nobody, lab):
        for method, path in (("POST", SERVERS), ("PATCH", f"{SERVERS}/1"), ("DELETE", f"{SERVERS}/1")):
            response = client.request(method, path, headers=person.bearer, json={**GIVEN, "name": "b"})
            assert (response.status_code, response.json()) == (403, ADMINISTRATORS_ONLY)
    assert names(database) == ["House model"]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_server_that_is_not_there(client: TestClient, admin: Person, method: str) -> None:
    response = client.request(method, f"{SERVERS}/9", headers=admin.bearer, json={"description": "a"})
    assert (response.status_code, response.json()) == (404, {"message": "There is no AI server 9."})


def test_a_method_that_is_not_there(client: TestClient, admin: Person) -> None:
    response = client.put(f"{SERVERS}/1", headers=admin.bearer, json=GIVEN)
    assert (response.status_code, response.json()) == (
        405,
        {"message": "This address does not take this method."},
    )


def test_a_refusal_that_is_of_no_field_is_worded_as_an_action() -> None:
    problem = PreconditionFailed("The answer is empty.")
    assert worded(Refusal(412, problem.message, (), problem)) == {
        "actionValidationError": {"exception": "PreconditionFailed", "message": "The answer is empty."},
        "message": "The answer is empty.",
    }
