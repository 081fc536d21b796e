"""A small genuine document, its damaged variants, and how they are refused."""

import json
from copy import deepcopy
from typing import Any

import pytest

from opendai import engine
from opendai.errors import Invalid

SMALL: dict[str, Any] = {
    "allSnippetsDisabled": False,
    "suitePath": "Shop.suite",
    "testcases": [{"testcaseName": "Pay", "testcase": 'State "Basket"', "id": 1}],
    "elements": [
        {"id": 0, "name": "Shop", "type": "Root", "parentId": None},
        {"id": 1, "name": "Initial", "type": "State", "stateType": "Start", "parentId": 0},
        {"id": 2, "name": "Basket", "type": "State", "stateType": "Normal", "parentId": 0},
        {
            "id": 3,
            "name": "Open",
            "type": "Action",
            "parentId": 1,
            "actionType": "Normal",
            "connectedStates": [{"stateRef": 2}],
            "callLimit": 2,
            "weight": 50,
        },
    ],
}


def altered(*path: object, to: object) -> str:
    """The small document with one value replaced, as text."""
    document = deepcopy(SMALL)
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return json.dumps(document)


def refusal(text: str) -> list[tuple[str, str]]:
    with pytest.raises(engine.ModelError) as caught:
        engine.parse_model(text)
    assert isinstance(caught.value, Invalid)
    assert caught.value.faults[0].problem in caught.value.message
    return [(fault.field, fault.problem) for fault in caught.value.faults]
