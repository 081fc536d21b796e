"""Text that is no model is refused with the places that are wrong, whatever it is."""

import json
from contextlib import suppress
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendai import engine

from .documents import SMALL, altered, refusal


@pytest.mark.parametrize(
    ("path", "value", "place", "problem"),
    [
        (["elements"], None, "elements", "the list of states and actions is missing"),
        (["elements"], {}, "elements", "an object stands where a list should be"),
        (["elements", 3], 5, "elements[3]", "a number stands where an object should be"),
        (["elements", 3, "connectedStates"], [{"stateRef": 42}], None, "there is no state 42"),
        (["elements", 3, "connectedStates"], [{"stateRef": 3}], None, "there is no state 3"),
        (["elements", 3, "connectedStates"], [{}], None, "the id of a state is missing"),
        (
            ["elements", 3, "connectedStates"],
            [{"stateRef": "2"}],
            None,
            "text stands where a whole number should be",
        ),
        (
            ["elements", 3, "connectedStates"],
            [{"stateRef": 2}, {"stateRef": 1}],
            "elements[3].connectedStates[1]",
            "an action leads to one state at most",
        ),
        (["elements", 3, "parentId"], 42, "elements[3].parentId", "there is no state 42"),
        (["elements", 2, "parentId"], 42, "elements[2].parentId", "there is no element 42"),
        (["elements", 1, "stateType"], "Normal", "elements", "there is no Start state"),
        (["elements", 2, "stateType"], "Start", "elements[2].stateType", "there is a second Start state"),
        (
            ["elements", 2, "stateType"],
            "Odd",
            "elements[2].stateType",
            'there is no such type of state: "Odd"',
        ),
        (
            ["elements", 3, "actionType"],
            "Odd",
            "elements[3].actionType",
            'there is no such type of action: "Odd"',
        ),
        (["elements", 2, "id"], 1, "elements[2].id", "modeljson.elements[1] has the id 1 too"),
        (
            ["elements", 2, "id"],
            True,
            "elements[2].id",
            "true or false stands where a whole number should be",
        ),
        (["elements", 2, "id"], 2**53 + 1, "elements[2].id", "the number is negative or larger than 2^53"),
        (["elements", 2, "id"], None, "elements[2].id", "an id is missing"),
        (["elements", 2, "type"], "Root", "elements[2].type", "there is a second Root"),
        (["elements", 2, "type"], "", "elements[2].type", "an element says Root, State or Action"),
        (
            ["elements", 2, "name"],
            "Initial",
            "elements[2].name",
            'modeljson.elements[1] has the name "Initial" too',
        ),
        (["elements", 2, "name"], "", "elements[2].name", "a name is missing"),
        (["elements", 2, "name"], 7, "elements[2].name", "a number stands where text should be"),
        (["elements", 2, "name"], "x" * 1001, "elements[2].name", "the name is longer than 1000 characters"),
        (
            ["elements", 2, "name"],
            "\0",
            "elements[2].name",
            "the text holds a NUL or half of a surrogate pair",
        ),
        (
            ["elements", 2, "name"],
            "\ud800",
            "elements[2].name",
            "the text holds a NUL or half of a surrogate pair",
        ),
        (["elements", 3, "weight"], -1, "elements[3].weight", "the number is negative or larger than 1e+09"),
        (["elements", 3, "weight"], "1", "elements[3].weight", "text stands where a number should be"),
        (
            ["elements", 3, "weight"],
            True,
            "elements[3].weight",
            "true or false stands where a number should be",
        ),
        (
            ["elements", 3, "callLimit"],
            1.5,
            "elements[3].callLimit",
            "a number stands where a whole number should be",
        ),
        (["elements", 3, "snippets"], [{"type": 1}], None, "a number stands where text should be"),
        (["allSnippetsDisabled"], "no", "allSnippetsDisabled", "text stands where true or false should be"),
        (["testcases"], "no", "testcases", "text stands where a list should be"),
        (["testcases", 0, "testcase"], ["no"], "testcases[0].testcase", "a list stands where text should be"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(
    path: list[object], value: object, place: str | None, problem: str
) -> None:
    faults = refusal(altered(*path, to=value))
    places = {
        "connectedStates": "elements[3].connectedStates[0].stateRef",
        "snippets": "elements[3].snippets[0].type",
    }
    assert (f"modeljson.{place or places[str(path[-1])]}", problem) in faults


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"elements": [}', "it is not JSON: Expecting value at line 1, column 15"),
        ("", "it is not JSON: Expecting value at line 1, column 1"),
        ("[]", "it is not an object"),
        ("null", "it is not an object"),
        ('{"a": NaN}', "it holds NaN, which is not JSON"),
        ('{"a": -Infinity}', "it holds -Infinity, which is not JSON"),
        ('{"a": 1e999}', "it holds a number that is too large: 1e999"),
        ('{"a": ' + "9" * 5000 + "}", "it holds a number of 5000 digits"),
        ('{"a": ' + "[" * 100 + "]" * 100 + "}", "it is nested more than 100 deep at character 106"),
        ("[" * 100_000, "it is nested more than 100 deep at character 101"),
        ('"' + '\\"' * 50_000, "it is not JSON: Unterminated string starting at at line 1, column 1"),
        ("\ud800", "character 1 is half of a surrogate pair"),
        ('"' + "x" * 8 * 1024 * 1024 + '"', "it is larger than 8388608 bytes"),
        ('"' + "\u20ac" * 3 * 1024 * 1024 + '"', "it is larger than 8388608 bytes"),
    ],
    ids=lambda value: value[:20].encode("ascii", "replace").decode(),
)
def test_text_that_is_no_document_is_refused(text: str, problem: str) -> None:
    assert refusal(text) == [("modeljson", problem)]


def test_brackets_in_strings_are_not_depth() -> None:
    assert engine.parse_model(altered("note", to='\\"' + "[{" * 200)).name == "Shop"


def test_two_actions_of_one_name_in_one_state_are_refused() -> None:
    document = deepcopy(SMALL)
    document["elements"] += [{"id": 4, "name": "Open", "type": "Action", "parentId": 1}]
    place = "modeljson.elements[3]"
    problem = f'{place} has the name "Open" in the same state'
    assert refusal(json.dumps(document)) == [("modeljson.elements[4].name", problem)]
    document["elements"][-1]["parentId"] = 0
    problem = "the global action modeljson.elements[4] has the same name"
    assert refusal(json.dumps(document)) == [(f"{place}.name", problem)]


def test_many_faults_are_told_at_once_and_no_more_than_twenty() -> None:
    elements = [*SMALL["elements"], *({"id": -1, "type": "State", "name": f"n{i}"} for i in range(50))]
    text = altered("elements", to=elements)
    assert len(refusal(text)) == 20
    with pytest.raises(engine.ModelError, match=r"\(and 49 more\)\.$"):
        engine.parse_model(text)


def test_a_short_document_cannot_stand_for_an_endless_graph() -> None:
    elements = [
        *SMALL["elements"],
        *({"id": 1000 + i, "type": "State", "name": f"s{i}"} for i in range(600)),
        *({"id": 9000 + i, "type": "Action", "name": f"g{i}"} for i in range(600)),
    ]
    problem = "states and actions make more than 250000 transitions"
    assert refusal(altered("elements", to=elements)) == [("modeljson.elements", problem)]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["Root", "State", "Start"]),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["id", "name", "type", "stateRef"]), inner)
    ),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(text=st.text() | JSON.map(json.dumps))
def test_any_text_is_a_model_or_refused(text: str) -> None:
    with pytest.raises(engine.ModelError):
        engine.parse_model(text)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), value=JSON)
def test_a_damaged_document_is_a_model_or_refused(data: st.DataObject, value: object) -> None:
    document = deepcopy(SMALL)
    element = data.draw(st.sampled_from(document["elements"]))
    key = data.draw(st.sampled_from([*element, "snippets", "rciTag", "callLimit", "connectedStates"]))
    element[key] = value
    with suppress(engine.ModelError):
        walk = engine.start_walk(engine.parse_model(json.dumps(document)), engine.Plan())
        assert walk.next_step() is not None or walk.conclusion is not None
