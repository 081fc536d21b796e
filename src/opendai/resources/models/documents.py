"""The documents of models: what is accepted, and what a model without one begins with."""

import json
from typing import Any

from opendai.engine import Model, parse_model
from opendai.errors import Fault, Invalid

_LONGEST_NAME = 255
_FIRST_STATES = [
    ("Exit", "Normal", "Z"),
    ("Error", "Exception", "X"),
    ("Cleanup", "Cleanup", "Y"),
    ("Initial", "Start", "A"),
]


def read_document(text: str) -> Model:
    """The model that a text holds; Invalid, with the place, if the text is no model or a name is too long to store."""
    model = parse_model(text)
    names = [state.name for state in model.states] + [action.name for action in model.actions]
    names += [case.name for case in model.test_cases] + [case.external_id for case in model.test_cases]
    for name in names:
        if len(name) > _LONGEST_NAME:
            raise Invalid(
                f'The name "{name[:40]}…" is longer than {_LONGEST_NAME} characters.',
                faults=[Fault("modeljson", "holds a name that is too long")],
            )
    return model


def blank_document(name: str) -> str:
    """The document of a new model: the states that every model has, without any action."""
    root = {"id": 0, "name": name, "type": "Root", "stateType": "Root", "parentId": None, "parameters": []}
    elements: list[dict[str, Any]] = [root]
    for number, (state, kind, sorting) in enumerate(_FIRST_STATES, start=1):
        elements.append(
            {
                "id": number,
                "name": state,
                "invisible": kind != "Start",
                "type": "State",
                "stateType": kind,
                "parentId": 0,
                "sortingType": sorting,
                "parameters": [],
            }
        )
    return json.dumps({"testcases": [], "tags": [], "elements": elements}, ensure_ascii=False)
