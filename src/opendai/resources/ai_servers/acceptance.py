"""Proposals that a person has chosen become test cases of a model."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller
from opendai.engine import Goal, GoalKind, Names, parse_model, write_test_case
from opendai.engine.testcases import LARGEST_TEXT
from opendai.errors import Fault, PreconditionFailed
from opendai.resources.ai_servers.generations import FINISHED, hold_named_model
from opendai.resources.ai_servers.proposals import Draft, Step
from opendai.resources.models.testcases.repository import TestCaseRepository
from opendai.resources.models.testcases.schemas import TestCaseIn

ORIGIN = "AI"
TAG = "drafted-by-ai"
# These characters are not allowed in the name of a test case, or are line ends.
_NOT_IN_NAMES = re.compile(r'[\s"\\;:{}]+')
_LONGEST_NAME = 255


def accept(
    session: Session,
    generation: tables.Generation,
    chosen: Sequence[int],
    model_ref: str | None,
    caller: Caller,
) -> list[dict[str, Any]]:
    """Store the chosen proposals that are not stored yet; return what each became, in the chosen order."""
    if generation.model_id is None and model_ref is None:
        raise _refused("model_id", "is missing: the generation was started without a model", None)
    model = hold_named_model(session, model_ref or str(generation.model_id), caller)
    # After the model: deleting a model locks the rows in this order too. When two requests accept at once, the second
    # one finds here what the first one has stored.
    session.refresh(generation, with_for_update=True)
    if generation.model_id not in {None, model.id}:
        raise _refused("model_id", "is not the model of the generation", model_ref)
    proposals = _proposals(generation, chosen)
    waiting = [proposals[number] for number in chosen if "accepted" not in proposals[number]]
    if waiting:
        _store(session, model, waiting, caller)
        generation.model_id = model.id
        generation.proposals = json.dumps(list(proposals.values()))
        session.flush()
    return [{"id": number, **proposals[number]["accepted"]} for number in chosen]


def _proposals(generation: tables.Generation, chosen: Iterable[int]) -> dict[int, dict[str, Any]]:
    """All proposals by their ids; PreconditionFailed if a chosen one is not there."""
    if generation.status != FINISHED:
        raise PreconditionFailed(
            f"The generation {generation.id} has no proposals: it is {generation.status}."
        )
    proposals = {proposal["id"]: proposal for proposal in json.loads(generation.proposals or "[]")}
    for number in chosen:
        if number not in proposals:
            raise _refused("proposals", f"there is no proposal {number}", number)
    return proposals


def _store(
    session: Session, model: tables.Model, proposals: Iterable[dict[str, Any]], caller: Caller
) -> None:
    case, version = tables.TestCase, tables.ModelVersion
    is_newest = (version.model_id == model.id) & (version.number == model.version_number)
    names = Names(parse_model(session.scalars(select(version.document).where(is_newest)).one()))
    taken = set(session.scalars(select(case.name).where(case.model_id == model.id)))
    testcases = TestCaseRepository(session)
    for proposal in proposals:
        draft = Draft.model_validate(proposal)
        name = _free_name(draft.name, taken)
        goals, untold = _translated(draft.testSteps, names)
        given = {
            "testcaseName": name,
            "testcase": _text(proposal["id"], goals),
            "testcaseTags": TAG,
            "testcaseDescription": draft.prose,
            "testcaseOrigin": ORIGIN,
        }
        made = testcases.add(model.id, TestCaseIn.model_validate(given), caller)
        taken.add(name)
        proposal["accepted"] = {
            "testcase_id": made.id,
            "testcase_name": made.name,
            "testcase": made.text,
            "not_translated": [{"index": step.index, "action": step.action} for step in untold],
        }


def _translated(steps: Iterable[Step], names: Names) -> tuple[list[Goal], list[Step]]:
    """The goals that the steps name, and the steps whose action names nothing of the model."""
    goals: list[Goal] = []
    untold: list[Step] = []
    for step in steps:
        named = names.in_action(step.action)
        if not named:
            untold.append(step)
        for goal in [*named, *names.in_result(step.expectedResult)]:
            # An action may be taken twice in a row. A state twice in a row adds nothing.
            if goals[-1:] != [goal] or goal.kind is GoalKind.ACTION:
                goals.append(goal)
    return goals, untold


def _text(number: int, goals: Iterable[Goal]) -> str:
    text = write_test_case(goals)
    if len(text.encode()) > LARGEST_TEXT:
        raise PreconditionFailed(f"The proposal {number} names more than a test case can hold.")
    return text


def _free_name(wanted: str, taken: set[str]) -> str:
    name = _NOT_IN_NAMES.sub(" ", wanted).strip()[:_LONGEST_NAME] or "Test case"
    number, free = 1, name
    while free in taken:
        number += 1
        suffix = f" ({number})"
        free = name[: _LONGEST_NAME - len(suffix)] + suffix
    return free


def _refused(field: str, problem: str, value: object) -> PreconditionFailed:
    return PreconditionFailed(f"{field}: {problem}", faults=[Fault(field, problem, value)])
