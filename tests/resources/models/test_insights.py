"""/ai/models/{model_id}/actions and /release-insights."""

from typing import Any

import pytest

from opendai.engine import parse_model
from tests.arranging.hand_walks import walk
from tests.arranging.models import create_model
from tests.arranging.walking import ANY_AGENT, HandAgent, start, step
from tests.conftest import Person, Program
from tests.inprocess import TestClient

ACTIONS = "/ai/models/1/actions"
INSIGHTS = "/ai/models/1/release-insights"
FIND_OWNERS = {"stateName": "HomePage", "actionName": "e_FindOwners", "passes": 1, "is_rci": True, "fails": 2}
START = {"stateName": "Initial", "actionName": "e_StartBrowser", "passes": 3, "is_rci": False, "fails": 0}


@pytest.fixture
def text(samples: dict[str, str]) -> str:
    """The clinic, where a journey of real customers takes an action and not only visits states."""
    return samples["petclinic"].replace('State \\"FindOwners\\"', 'Action \\"e_FindOwners\\"')


@pytest.fixture
def clinic(client: TestClient, alice: Person, text: str) -> dict[str, Any]:
    assert "e_FindOwners" in parse_model(text).test_cases[0].text
    return create_model(client, alice, text)


@pytest.fixture
def walks(client: TestClient, alice: Person, lab: Program, clinic: dict[str, Any]) -> HandAgent:
    """Two runs that fail, one that passes, and one that is canceled before it took a step."""
    agent = HandAgent(client, lab)
    for status in ("FAILED", "FAILED", "PASSED"):
        events = [step(1), step(2, "HomePage", "e_FindOwners", passed=status == "PASSED")]
        walk(client, alice, agent, model_id=clinic["modeluuid"], status=status, events=events)
    walk(client, alice, agent, model_id=clinic["modeluuid"], status="CANCELLED", events=[])
    return agent


def test_every_action_is_listed_in_every_state_taken_or_not(
    client: TestClient, alice: Person, walks: HandAgent, text: str
) -> None:
    response = client.get(ACTIONS, headers=alice.bearer)
    assert response.status_code == 200
    actions = response.json()
    document = parse_model(text)
    assert [(action["stateName"], action["actionName"]) for action in actions] == [
        (state.name, action.name) for state in document.states for action in document.actions_in(state)
    ]
    taken = [action for action in actions if action["passes"] or action["fails"]]
    assert taken == [START, FIND_OWNERS]
    assert {action["actionName"] for action in actions if action["is_rci"]} == {"e_FindOwners"}


def test_actions_are_those_of_the_newest_version(
    client: TestClient, alice: Person, walks: HandAgent, text: str
) -> None:
    client.put("/ai/models/1", headers=alice.bearer, json={"modeljson": text.replace("e_Search", "e_Seek")})
    actions = client.get(ACTIONS, headers=alice.bearer).json()
    assert "e_Seek" in {action["actionName"] for action in actions}
    assert all(action["passes"] == action["fails"] == 0 for action in actions)


def test_an_empty_test_case_of_that_origin_marks_no_action(
    client: TestClient, alice: Person, samples: dict[str, str]
) -> None:
    text = samples["petclinic"].replace('State \\"FindOwners\\"', 'Stat \\"FindOwners\\"')
    create_model(client, alice, text)
    assert not any(action["is_rci"] for action in client.get(ACTIONS, headers=alice.bearer).json())


def test_an_action_with_a_tag_of_its_own_is_of_real_customers(
    client: TestClient, alice: Person, samples: dict[str, str]
) -> None:
    text = samples["petclinic"].replace('"name":"e_Veterinarians"', '"rciTag":"7","name":"e_Veterinarians"')
    assert text != samples["petclinic"]
    create_model(client, alice, text)
    actions = client.get(ACTIONS, headers=alice.bearer).json()
    assert {action["actionName"] for action in actions if action["is_rci"]} == {"e_Veterinarians"}


def test_insights_show_the_newest_version_and_the_trend(
    client: TestClient, alice: Person, walks: HandAgent, text: str
) -> None:
    response = client.get(INSIGHTS, headers=alice.bearer)
    assert response.status_code == 200
    body = response.json()
    count = len(client.get(ACTIONS, headers=alice.bearer).json())
    coverage = float(client.get("/ai/models/1/coverage", headers=alice.bearer).json()["coverage"])
    numbers = {"runs": 4, "passes": 1, "fails": 2, "inconclusive": 1, "pass_rate": pytest.approx(1 / 3)}
    first = {"hierarchyid": 1, "version": 1, "created": body["trend"][0]["created"], **numbers}
    assert body == {
        "id": 1,
        "modelname": "PetClinic",
        "hierarchyid": 1,
        "version": 1,
        **numbers,
        "coverage": pytest.approx(coverage),
        "actions": count,
        "actions_taken": 2,
        "failing_actions": [FIND_OWNERS],
        "trend": [first],
        "date_as_of": body["date_as_of"],
    }
    client.put("/ai/models/1", headers=alice.bearer, json={"modeljson": text.replace("e_Search", "e_Seek")})
    second = client.get(INSIGHTS, headers=alice.bearer).json()
    assert (second["hierarchyid"], second["version"], second["runs"], second["pass_rate"]) == (2, 2, 0, None)
    assert (second["coverage"], second["actions_taken"], second["failing_actions"]) == (0.0, 0, [])
    assert [version["hierarchyid"] for version in second["trend"]] == [1, 2]
    assert second["trend"][0] == first


def test_there_are_no_insights_while_no_run_has_finished(
    client: TestClient, alice: Person, clinic: dict[str, Any]
) -> None:
    start(client, alice, model_id=clinic["modeluuid"], agent=ANY_AGENT)
    response = client.get(INSIGHTS, headers=alice.bearer)
    assert response.status_code == 404
    assert response.json() == {"message": "No run of model 1 has finished yet."}


def test_there_are_no_insights_after_the_runs_are_deleted(
    client: TestClient, alice: Person, walks: HandAgent
) -> None:
    for run in (1, 2, 3, 4):
        client.delete(f"/ai/runs/{run}", headers=alice.bearer)
    assert client.get(INSIGHTS, headers=alice.bearer).status_code == 404
    actions = client.get(ACTIONS, headers=alice.bearer).json()
    assert all(action["passes"] == action["fails"] == 0 for action in actions)


@pytest.mark.parametrize("path", ["actions", "release-insights"])
def test_a_foreign_or_unknown_model_or_a_bad_id_is_refused(
    client: TestClient,
    alice: Person,
    bob: Person,
    nobody: Person,
    lab: Program,
    clinic: dict[str, Any],
    path: str,
) -> None:
    for person, model in ((bob, 1), (alice, 9)):
        response = client.get(f"/ai/models/{model}/{path}", headers=person.bearer)
        assert response.status_code == 404
        assert response.json() == {"message": f"There is no model {model}."}
    for person in (nobody, lab):
        assert client.get(f"/ai/models/1/{path}", headers=person.bearer).status_code == 403
    response = client.get(f"/ai/models/one/{path}", headers=alice.bearer)
    assert response.status_code == 400
    assert response.json()["errors"] == [{"field": "model_id", "problem": "must be a whole number"}]
