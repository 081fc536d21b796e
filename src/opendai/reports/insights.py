"""How the actions and the versions of a model did, from totals that are kept as runs end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.engine import GoalKind, Model, TestCaseError, parse_model, parse_test_case, run_coverage
from opendai.errors import NotFound
from opendai.tables.states import INCOMPLETE

_MOST_FAILING = 20
_MOST_VERSIONS = 20
_RCI = "RCI"


@dataclass(frozen=True, slots=True)
class ActionTotals:
    """How often an action passed and failed in a state.

    `is_rci`: it is part of a journey of real customers, by its own tag or by a test case of that origin.
    """

    state: str
    action: str
    passes: int
    fails: int
    is_rci: bool


@dataclass(frozen=True, slots=True)
class VersionTotals:
    """How the runs of a version ended; `broken` runs ended without a verdict, as ERROR or CANCELLED."""

    id: int
    number: int
    created_at: datetime
    passed: int
    failed: int
    broken: int

    @property
    def runs(self) -> int:
        return self.passed + self.failed + self.broken

    @property
    def pass_rate(self) -> float | None:
        """The share, from 0 to 1, of the runs with a verdict that passed; None without a verdict."""
        verdicts = self.passed + self.failed
        return self.passed / verdicts if verdicts else None


@dataclass(frozen=True, slots=True)
class ReleaseInsights:
    """The newest version of a model and those before it.

    `failing` are the actions that failed, most failures first. `trend` are versions from old to new; the last one
    is the newest.
    """

    model_name: str
    coverage: float
    actions: int
    actions_taken: int
    failing: list[ActionTotals]
    trend: list[VersionTotals]


def action_totals(session: Session, model_id: int) -> list[ActionTotals]:
    """Every action of the newest version in every state that offers it, taken or not."""
    row = _newest(session, model_id)
    return _totals_of(session, model_id, parse_model(row.document), _taken(session, row.id))


def release_insights(session: Session, model_id: int) -> ReleaseInsights | None:
    """None while no run of any version of the model has finished."""
    count = tables.RunCount
    finished = session.scalar(
        select(func.sum(count.runs)).where(count.model_id == model_id, count.status != INCOMPLETE)
    )
    if not finished:
        return None
    row = _newest(session, model_id)
    document = parse_model(row.document)
    taken = _taken(session, row.id)
    totals = _totals_of(session, model_id, document, taken)
    failing = sorted((each for each in totals if each.fails), key=lambda each: -each.fails)
    return ReleaseInsights(
        model_name=row.name,
        coverage=run_coverage(document, taken),
        actions=len(totals),
        actions_taken=sum(each.passes + each.fails > 0 for each in totals),
        failing=failing[:_MOST_FAILING],
        trend=_trend(session, model_id),
    )


def _newest(session: Session, model_id: int) -> Any:
    model, version = tables.Model, tables.ModelVersion
    row = session.execute(
        select(model.name, version.id, version.document)
        .join(version, (version.model_id == model.id) & (version.number == model.version_number))
        .where(model.id == model_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no model {model_id}.")
    return row


def _taken(session: Session, version_id: int) -> dict[tuple[str, str], tuple[int, int]]:
    total = tables.TransitionTotal
    rows = session.execute(
        select(total.state, total.action, func.sum(total.passes), func.sum(total.fails))
        .where(total.version_id == version_id)
        .group_by(total.state, total.action)
    )
    return {(state, action): (int(passes), int(fails)) for state, action, passes, fails in rows}


def _totals_of(
    session: Session, model_id: int, document: Model, taken: dict[tuple[str, str], tuple[int, int]]
) -> list[ActionTotals]:
    journeys = _actions_of_journeys(session, model_id)
    totals = []
    for state in document.states:
        for action in document.actions_in(state):
            passes, fails = taken.get((state.name, action.name), (0, 0))
            is_rci = bool(action.rci_tag) or action.name in journeys
            totals.append(ActionTotals(state.name, action.name, passes, fails, is_rci))
    return totals


def _actions_of_journeys(session: Session, model_id: int) -> set[str]:
    case = tables.TestCase
    texts = session.scalars(select(case.text).where(case.model_id == model_id, case.origin == _RCI))
    names: set[str] = set()
    for text in texts:
        try:
            goals = parse_test_case(text)
        except TestCaseError:
            # Texts are stored as they came. One that cannot be read names no action.
            continue
        names |= {goal.name for goal in goals if goal.kind is GoalKind.ACTION}
    return names


def _trend(session: Session, model_id: int) -> list[VersionTotals]:
    version = tables.ModelVersion
    rows = session.execute(
        select(version.id, version.number, version.created_at, version.passed, version.failed, version.broken)
        .where(version.model_id == model_id)
        .order_by(version.number.desc())
        .limit(_MOST_VERSIONS)
    )
    return [VersionTotals(*row) for row in rows][::-1]
