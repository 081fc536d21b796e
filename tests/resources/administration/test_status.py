"""/ai/status and /ai/usage."""

from typing import Any

from opendai import __version__
from tests.arranging.licenses import TOMORROW, YESTERDAY, install
from tests.arranging.models import create_model
from tests.arranging.walking import ANY_AGENT, EXECUTIONS, start
from tests.conftest import PASSWORD, Person, Program
from tests.inprocess import TestClient

TOKEN = "/auth/realms/eggplant/protocol/openid-connect/token"


def usage(client: TestClient, person: Person) -> Any:
    response = client.get("/ai/usage", headers=person.bearer)
    assert response.status_code == 200
    return response.json()


def test_anyone_may_ask_for_the_status(client: TestClient) -> None:
    response = client.get("/ai/status")
    assert response.status_code == 200
    assert response.json() == {
        "status": "OK",
        "version": __version__,
        "configured": True,
        "has_valid_license": True,
        "eula_accepted": True,
    }


def test_the_status_tells_of_licenses(client: TestClient, admin: Person) -> None:
    install(client, admin, 1, expires=YESTERDAY)
    assert client.get("/ai/status").json()["has_valid_license"] is False
    body = {"serialnumber": 2, "license": f'{{"expires": "{TOMORROW}"}}', "eula_accepted": False}
    client.post("/ai/licenses", headers=admin.bearer, json=body)
    status = client.get("/ai/status").json()
    assert (status["has_valid_license"], status["eula_accepted"]) == (True, False)


def test_usage_counts_people_with_a_role(
    client: TestClient, alice: Person, bob: Person, nobody: Person
) -> None:
    assert usage(client, alice) == {"num_users": 2, "num_sessions": 3, "num_execs": 0}


def test_usage_counts_logins_until_they_end(
    client: TestClient, admin: Person, alice: Person, bob: Person, ci: Program
) -> None:
    # Each of the three people of the fixtures is logged in already.
    tokens = [
        client.post("/ai/auth", json={"username": name, "password": PASSWORD}).json()["access_token"]
        for name in ("alice", "alice", "bob")
    ]
    form = {"grant_type": "password", "username": "bob", "password": PASSWORD}
    client.post(TOKEN, data={**form, "client_id": ci.client_id, "client_secret": ci.secret})
    client.post("/ai/auth", json={"username": "alice", "password": "wrong"})
    assert usage(client, admin)["num_sessions"] == 7
    client.delete("/ai/auth", headers={"Authorization": f"Bearer {tokens[0]}"})
    assert usage(client, admin)["num_sessions"] == 6
    client.put(f"/ai/users/{alice.id}", headers=admin.bearer, json={"password": PASSWORD})
    assert usage(client, admin)["num_sessions"] == 4
    client.delete(f"/ai/users/{bob.id}", headers=admin.bearer)
    assert usage(client, admin)["num_sessions"] == 1


def test_usage_counts_runs_that_have_not_finished(
    client: TestClient, alice: Person, samples: dict[str, str]
) -> None:
    model = create_model(client, alice, samples["petclinic"])["modeluuid"]
    waiting = start(client, alice, model_id=model, agent=ANY_AGENT)
    start(client, alice, model_id=model, agent=ANY_AGENT)
    assert usage(client, alice)["num_execs"] == 2
    client.delete(f"{EXECUTIONS}/{waiting['id']}", headers=alice.bearer)
    assert usage(client, alice)["num_execs"] == 1


def test_usage_is_for_users(client: TestClient, nobody: Person, lab: Program) -> None:
    for person in (nobody, lab):
        response = client.get("/ai/usage", headers=person.bearer)
        assert (response.status_code, response.json()) == (403, {"message": "This needs a user's rights."})
