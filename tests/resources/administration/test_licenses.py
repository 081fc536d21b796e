"""/ai/licenses, and what they allow."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select, update

from opendai import tables
from opendai.database import Database
from tests.arranging.licenses import TODAY, TOMORROW, YESTERDAY, install
from tests.arranging.models import create_model
from tests.arranging.walking import ANY_AGENT, EXECUTIONS
from tests.conftest import Person, Program
from tests.inprocess import TestClient


def add_user(client: TestClient, admin: Person, name: str, role: str = "User") -> Any:
    return client.post("/ai/users", headers=admin.bearer, json={"username": name, "role": role})


def test_installing_a_license(client: TestClient, admin: Person, alice: Person) -> None:
    text = ' {"users": 5,\n "executions": 2, "expires": "2199-12-31", "customer": "us"} '
    body = {"serialnumber": 7, "license": text, "eula_accepted": False, "surprise": 1}
    response = client.post("/ai/licenses", headers=admin.bearer, json=body)
    expected = {"serialnumber": 7, "license": text, "eula_accepted": False}
    assert (response.status_code, response.json()) == (200, expected)
    assert client.get("/ai/licenses", headers=admin.bearer).json() == [expected]
    for person in (admin, alice):
        assert client.get("/ai/licenses/7", headers=person.bearer).json() == expected


def test_the_vendors_client_spells_the_number_otherwise_and_accepts_no_eula(
    client: TestClient, admin: Person
) -> None:
    response = client.post("/ai/licenses", headers=admin.bearer, json={"license": "{}", "serialNumber": "12"})
    assert response.json() == {"serialnumber": 12, "license": "{}", "eula_accepted": True}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ABC-123",
        "[]",
        "null",
        '{"users": -1}',
        '{"users": "5"}',
        '{"users": 1.5}',
        '{"users": true}',
        '{"executions": 2147483648}',
        '{"users": NaN}',
        '{"expires": 1}',
        '{"expires": "soon"}',
        '{"expires": "9999-12-31"}',
        '{"expires": "0001-01-01T00:00:00+14:00"}',
        '{"expires": "2027-02-30"}',
        '{"x": ' + "[" * 5000 + "]" * 5000 + "}",
    ],
)
def test_a_text_that_is_no_license_is_refused_and_not_stored(
    client: TestClient, admin: Person, database: Database, text: str
) -> None:
    response = client.post("/ai/licenses", headers=admin.bearer, json={"serialnumber": 1, "license": text})
    problem = (
        'must be a JSON object with "users", "executions" (whole numbers) and "expires" (a date), or less'
    )
    assert response.status_code == 400
    assert response.json() == {
        "message": f"license: {problem}",
        "errors": [{"field": "license", "problem": problem}],
    }
    assert client.get("/ai/licenses", headers=admin.bearer).json() == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"license": "{}"}, "serialnumber"),
        ({"license": "{}", "serialnumber": 0}, "serialnumber"),
        ({"license": "{}", "serialnumber": 2**63}, "serialnumber"),
        ({"license": "{}", "serialnumber": "A-1"}, "serialnumber"),
        ({"serialnumber": 1}, "license"),
        ({"serialnumber": 1, "license": {"users": 1}}, "license"),
        ({"serialnumber": 1, "license": "{}", "eula_accepted": "perhaps"}, "eula_accepted"),
    ],
)
def test_a_license_with_bad_fields_is_refused(
    client: TestClient, admin: Person, body: dict[str, Any], field: str
) -> None:
    response = client.post("/ai/licenses", headers=admin.bearer, json=body)
    assert response.status_code == 400
    assert [fault["field"] for fault in response.json()["errors"]] == [field]
    assert client.get("/ai/licenses", headers=admin.bearer).json() == []


def test_a_serial_number_is_taken_once(client: TestClient, admin: Person) -> None:
    first = install(client, admin, 1, users=5)
    response = client.post("/ai/licenses", headers=admin.bearer, json={"serialnumber": 1, "license": "{}"})
    assert response.status_code == 400
    assert response.json() == {
        "message": "There is a license 1 already.",
        "errors": [{"field": "serialnumber", "problem": "is taken"}],
    }
    assert client.get("/ai/licenses", headers=admin.bearer).json() == [first]


def test_removing_a_license(client: TestClient, admin: Person) -> None:
    install(client, admin, 1, users=1)
    assert add_user(client, admin, "carol").status_code == 402
    response = client.delete("/ai/licenses/1", headers=admin.bearer)
    assert (response.status_code, response.json()) == (200, {})
    assert client.get("/ai/licenses/1", headers=admin.bearer).status_code == 404
    assert add_user(client, admin, "carol").status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_license_that_is_not_there_is_404(client: TestClient, admin: Person, method: str) -> None:
    response = client.request(method, "/ai/licenses/9", headers=admin.bearer)
    assert (response.status_code, response.json()) == (404, {"message": "There is no license 9."})


def test_only_administrators_write_and_list(
    client: TestClient, admin: Person, alice: Person, nobody: Person, lab: Program
) -> None:
    installed = install(client, admin, 1)
    for method, path in (
        ("POST", "/ai/licenses"),
        ("PATCH", "/ai/licenses"),
        ("GET", "/ai/licenses"),
        ("DELETE", "/ai/licenses/1"),
    ):
        for person in (alice, nobody, lab):
            body = {"serialnumber": 2, "license": "{}"}
            response = client.request(method, path, headers=person.bearer, json=body)
            assert response.status_code == 403, (method, path, person.name)
            assert response.json() == {"message": "This needs an administrator's rights."}
    for person in (nobody, lab):
        assert client.get("/ai/licenses/1", headers=person.bearer).status_code == 403
    assert client.get("/ai/licenses", headers=admin.bearer).json() == [installed]


def test_checking_all_licenses_tells_which_are_good(
    client: TestClient, admin: Person, database: Database
) -> None:
    install(client, admin, 1, users=3)
    install(client, admin, 2, users=5, expires=YESTERDAY)
    install(client, admin, 3, users=7)
    with database.writing() as session:
        # As if an earlier release had taken a text that this one does not understand.
        session.execute(update(tables.License).where(tables.License.serial_number == 3).values(text="v1"))
    response = client.patch("/ai/licenses", headers=admin.bearer)
    assert response.status_code == 200
    assert response.json() == {
        "licenses": [
            {"serialnumber": 1, "state": "valid"},
            {"serialnumber": 2, "state": "expired"},
            {"serialnumber": 3, "state": "malformed"},
        ]
    }
    assert [add_user(client, admin, name).status_code for name in ("a", "b", "c")] == [200, 200, 402]
    with database.writing() as session:
        session.execute(
            update(tables.License).where(tables.License.serial_number == 3).values(text='{"users": 1}')
        )
    assert client.patch("/ai/licenses", headers=admin.bearer).json()["licenses"][2]["state"] == "valid"
    assert add_user(client, admin, "c").status_code == 200


def test_without_licenses_nothing_is_limited(client: TestClient, admin: Person) -> None:
    assert all(add_user(client, admin, f"user{number}").status_code == 200 for number in range(20))
    assert client.patch("/ai/licenses", headers=admin.bearer).json() == {"licenses": []}


@pytest.mark.parametrize(
    ("licenses", "allowed"),
    [
        ([{"users": 2}], 2),
        ([{"users": 1}, {"users": 2}], 3),
        ([{"users": 2}, {"executions": 1}], 2),
        ([{"users": 2, "expires": TOMORROW}, {"users": 1, "expires": TODAY}], 3),
        ([{"users": 2}, {"users": 9, "expires": YESTERDAY}], 2),
        ([{"executions": 1}, {"users": 9, "expires": YESTERDAY}], 0),
        ([{"users": 9, "expires": YESTERDAY}], 0),
        ([{"expires": YESTERDAY}], 0),
        ([{"executions": 0}], None),
        ([{"expires": TOMORROW}], None),
    ],
)
def test_the_sum_of_what_is_in_force_is_allowed(
    client: TestClient, admin: Person, licenses: list[dict[str, Any]], allowed: int | None
) -> None:
    for number, terms in enumerate(licenses, start=1):
        install(client, admin, number, **terms)
    created = 0
    while created < 6 and add_user(client, admin, f"user{created}").status_code == 200:
        created += 1
    # The administrator is one of the users.
    assert created == (6 if allowed is None else max(allowed - 1, 0))


def test_a_user_beyond_the_licenses_is_402_and_is_not_stored(
    client: TestClient, admin: Person, alice: Person, nobody: Person, database: Database
) -> None:
    install(client, admin, 1, users=2)
    refused = {"message": "The licenses are used up (users: 2)."}
    response = add_user(client, admin, "carol")
    assert (response.status_code, response.json()) == (402, refused)
    letting_in = client.put(f"/ai/users/{nobody.id}", headers=admin.bearer, json={"role": "User"})
    assert (letting_in.status_code, letting_in.json()) == (402, refused)
    with database.reading() as session:
        users = session.execute(select(tables.User.username, tables.User.role).order_by(tables.User.id))
        assert users.all() == [("admin", "Admin"), ("alice", "User"), ("nobody", "None")]
    # A user without rights takes no place, and a user who loses them leaves one.
    assert add_user(client, admin, "dora", role="None").status_code == 200
    url = f"/ai/users/{alice.id}"
    assert client.put(url, headers=admin.bearer, json={"role": "Admin"}).status_code == 200
    assert client.put(url, headers=admin.bearer, json={"role": "None"}).status_code == 200
    assert (
        client.put(f"/ai/users/{nobody.id}", headers=admin.bearer, json={"role": "User"}).status_code == 200
    )


def test_users_who_come_at_once_share_one_place(client: TestClient, admin: Person) -> None:
    install(client, admin, 1, users=2)
    barrier = threading.Barrier(4)

    def create(number: int) -> int:
        barrier.wait()
        return add_user(client, admin, f"user{number}").status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(create, range(4))) == [200, 402, 402, 402]


def test_an_execution_beyond_the_licenses_is_402_and_starts_nothing(
    client: TestClient, admin: Person, alice: Person, samples: dict[str, str], database: Database
) -> None:
    model = create_model(client, alice, samples["petclinic"])["modeluuid"]
    install(client, admin, 1, executions=1)

    def start(agent: dict[str, Any] | None) -> Any:
        body = {"model_id": model, "agent": agent}
        return client.post(EXECUTIONS, headers=alice.bearer, json=body)

    first = start(ANY_AGENT)
    assert first.status_code == 201
    for agent in (ANY_AGENT, None):
        response = start(agent)
        assert response.status_code == 402
        assert response.json() == {"detail": "The licenses are used up (executions at a time: 1)."}
    with database.reading() as session:
        assert session.scalar(select(func.count(tables.Run.id))) == 1
        assert session.scalar(select(func.count(tables.Execution.id))) == 1
    client.delete(f"{EXECUTIONS}/{first.json()['id']}", headers=alice.bearer)
    assert start(ANY_AGENT).status_code == 201


def test_executions_that_start_at_once_share_one_place(
    client: TestClient, admin: Person, alice: Person, samples: dict[str, str]
) -> None:
    model = create_model(client, alice, samples["petclinic"])["modeluuid"]
    install(client, admin, 1, executions=1)
    barrier = threading.Barrier(4)

    def start(_number: int) -> int:
        barrier.wait()
        body = {"model_id": model, "agent": ANY_AGENT}
        return client.post(EXECUTIONS, headers=alice.bearer, json=body).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(start, range(4))) == [201, 402, 402, 402]
