"""Genuine documents become graphs."""

import json
from copy import deepcopy

import pytest

from opendai import engine
from opendai.engine import ActionKind, Model, Snippet, StateKind

from .documents import SMALL, altered


def test_a_genuine_document_becomes_a_graph(petclinic: Model) -> None:
    assert (petclinic.name, len(petclinic.states), len(petclinic.actions)) == ("PetClinic", 15, 25)
    assert petclinic.start.name == "Initial"
    assert petclinic.suite_path == "PetClinic.suite"
    kinds = {state.name: state.kind for state in petclinic.states if state.kind is not StateKind.NORMAL}
    assert kinds == {
        "Initial": StateKind.START,
        "Exit": StateKind.EXIT,
        "Error": StateKind.EXCEPTION,
        "Cleanup": StateKind.CLEANUP,
    }
    action = petclinic.actions_in(petclinic.start)[0]
    assert action.snippets == (Snippet("PetClinic.script:e_StartBrowser", "PetClinic.script:e_StartBrowser"),)
    assert petclinic.target_of(petclinic.start, action) == petclinic.find_state("HomePage")


def test_the_test_cases_of_a_document_are_kept(petclinic: Model) -> None:
    assert petclinic.test_cases[0] == engine.StoredTestCase(
        name="Find an owner",
        text='State "FindOwners", State "OwnerInformation"',
        tags="smoke,owners",
        description="Reach the owner information page",
        origin="RCI",
        external_id="PET-1",
        id=1,
    )


def test_global_actions_come_after_a_states_own(webstore: Model) -> None:
    home = webstore.find_state("Home")
    assert home is not None
    assert [action.name for action in webstore.actions_in(home)] == [
        "Search",
        "Open sign in",
        "Open a featured product",
        "Leave",
        "Open help",
        "Take a look",
    ]
    assert webstore.find_state("Nowhere") is None


def test_global_actions_are_kept_out_of_the_start_state() -> None:
    document = deepcopy(SMALL)
    document["elements"].append({"id": 4, "name": "Look", "type": "Action"})
    model = engine.parse_model(json.dumps(document))
    assert [action.name for action in model.actions_in(model.start)] == ["Open", "Look"]
    model = engine.parse_model(json.dumps(document | {"allowGlobalActionsInInitialStates": False}))
    assert [action.name for action in model.actions_in(model.start)] == ["Open"]
    assert [transition.pair for transition in model.transitions] == [("Initial", "Open"), ("Basket", "Look")]


@pytest.mark.parametrize("parent", [None, 0, 77])
def test_an_action_of_the_root_or_of_nothing_is_global(parent: int | None) -> None:
    document = deepcopy(SMALL)
    document["elements"][0]["id"] = 77
    for element in document["elements"][1:]:
        element["parentId"] = parent
    assert [action.name for action in engine.parse_model(json.dumps(document)).global_actions] == ["Open"]


@pytest.mark.parametrize(
    "change",
    [{"name": "Exit"}, {"sortingType": "Z"}, {"stateType": "Exit"}],
    ids=["by name", "by sorting", "by type"],
)
def test_the_exit_state_is_known(change: dict[str, str]) -> None:
    text = altered("elements", 2, to=SMALL["elements"][2] | change)
    assert engine.parse_model(text).states[1].kind is StateKind.EXIT


def test_kinds_of_actions_are_known() -> None:
    kinds = [
        engine.parse_model(altered("elements", 3, "actionType", to=kind)).actions[0].kind
        for kind in ActionKind
    ]
    assert kinds == [ActionKind.NORMAL, ActionKind.SEQUENT, ActionKind.PREVIOUS]


def test_what_the_engine_does_not_need_is_ignored() -> None:
    document = deepcopy(SMALL) | {"tags": [{"any": 1e300}], "new": None}
    document["elements"].append({"id": 9, "type": "Note", "stateRef": "x"})
    document["elements"][1]["parameters"] = [{"name": 3}]
    assert len(engine.parse_model(json.dumps(document)).states) == 2


def test_null_stands_for_what_is_left_out() -> None:
    action = SMALL["elements"][3] | {
        "callLimit": None,
        "weight": None,
        "snippets": None,
        "connectedStates": None,
    }
    model = engine.parse_model(altered("elements", 3, to=action))
    assert (model.actions[0].call_limit, model.actions[0].weight, model.actions[0].target) == (0, 100, None)


def test_a_parsed_model_cannot_be_changed(petclinic: Model) -> None:
    with pytest.raises(AttributeError):
        petclinic.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        petclinic.came_from[1] = ()  # type: ignore[index]
