"""A small shop as a genuine model document, and a driver that follows a test's script."""

import json
from collections.abc import Callable
from typing import Any

from opendai.engine import Step
from opendai_client.agent.drivers.port import Performed, Run


def shop_document(*, cleanup_after_abort: bool = False) -> str:
    """Initial -Open-> Home -Search-> Results -Back-> Home; Error and Cleanup have one action each."""
    states = [("Exit", "Normal", "Z"), ("Error", "Exception", "X"), ("Cleanup", "Cleanup", "Y")]
    states += [("Initial", "Start", "A"), ("Home", "Normal", "B"), ("Results", "Normal", "B")]
    numbers = {name: number for number, (name, _, _) in enumerate(states, start=1)}
    elements: list[dict[str, Any]] = [
        {"id": 0, "name": "Shop", "type": "Root", "stateType": "Root", "parentId": None}
    ]
    elements += [
        {
            "id": numbers[name],
            "name": name,
            "invisible": sorting in "XYZ",
            "type": "State",
            "stateType": kind,
            "parentId": 0,
            "sortingType": sorting,
        }
        for name, kind, sorting in states
    ]
    actions: list[tuple[str, str, str | None]]
    actions = [("Initial", "Open", "Home"), ("Home", "Search", "Results"), ("Results", "Back", "Home")]
    actions += [("Error", "Save the page", None), ("Cleanup", "Close", None)]
    elements += [
        {
            "id": 100 + number,
            "name": name,
            "type": "Action",
            "parentId": numbers[owner],
            "actionType": "Normal",
            "connectedStates": [{"stateRef": numbers[target]}] if target else [],
            "snippets": [
                {"type": "normal", "scriptPath": f"Shop.script:{number}", "fullName": f"Shop.script:{name}"}
            ],
            "callLimit": 0,
            "weight": 100,
        }
        for number, (owner, name, target) in enumerate(actions)
    ]
    return json.dumps(
        {
            "suitePath": "Shop.suite",
            "runCleanupAfterAbort": cleanup_after_abort,
            "allowGlobalActionsInInitialStates": True,
            "testcases": [],
            "elements": elements,
            "version": "4.0.1",
        }
    )


WHOLE_WALK = [
    ("Initial", "Open", "Home"),
    ("Home", "Search", "Results"),
    ("Results", "Back", "Home"),
    ("Cleanup", "Close", "Cleanup"),
]


class ScriptedDriver:
    """Calls `behavior(step)` for each step, which passes in 0.01 s if that returns nothing."""

    name = "scripted"

    def __init__(self, behavior: Callable[[Step], Any] | None = None) -> None:
        self.behavior = behavior or (lambda _: None)
        self.run: Run | None = None
        self.performed: list[str] = []
        self.closed = 0

    def open(self, run: Run) -> None:
        self.run = run

    def perform(self, step: Step) -> Performed:
        self.performed.append(step.action)
        return self.behavior(step) or Performed(passed=True, seconds=0.01)

    def close(self) -> None:
        self.closed += 1
