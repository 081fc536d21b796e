"""How the test cases of a model did."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from opendai import tables

_NEWEST = 10


@dataclass(frozen=True, slots=True)
class CaseTotals:
    """How many runs of a test case are in each status."""

    name: str
    runs: Counter[str]


@dataclass(frozen=True, slots=True)
class CaseRuns:
    """A test case and the ids of its newest runs, newest first."""

    id: int
    name: str
    run_ids: list[int]


@dataclass(frozen=True, slots=True)
class CasePage:
    """Some test cases of a model, and how many it has."""

    cases: list[CaseRuns]
    total: int


def totals_by_case(
    session: Session, model_id: int, *, after: datetime | None = None, before: datetime | None = None
) -> list[CaseTotals]:
    """By name: the test cases of the model, and those with runs that were removed or renamed since.

    Without times the totals are those that are kept. With times the runs of that time are read, and a run that has
    not finished is QUEUED or RUNNING instead of INCOMPLETE.
    """
    case = tables.TestCase
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name in session.scalars(select(case.name).where(case.model_id == model_id)):
        found[name] = Counter()
    counts = _kept(model_id) if after is None and before is None else _counted(model_id, after, before)
    for name, status, runs in session.execute(counts):
        found[name][status] += int(runs)
    return [CaseTotals(name, found[name]) for name in sorted(found)]


def newest_by_case(session: Session, model_id: int, *, offset: int, limit: int) -> CasePage:
    """A page of the model's test cases by id."""
    case, run = tables.TestCase, tables.Run
    of_model = case.model_id == model_id
    total = session.scalar(select(func.count(case.id)).where(of_model)) or 0
    query = select(case.id, case.name).where(of_model).order_by(case.id).offset(offset).limit(limit)
    page = session.execute(query).all()
    if not page:
        return CasePage([], total)
    # A branch for each, because a window over the runs would read all runs of these test cases.
    branches = []
    for row in page:
        newest = select(run.test_case_id, run.id).where(run.test_case_id == row.id).order_by(run.id.desc())
        branches.append(select(newest.limit(_NEWEST).subquery()))
    runs: defaultdict[int, list[int]] = defaultdict(list)
    for case_id, run_id in session.execute(union_all(*branches)):
        runs[case_id].append(run_id)
    cases = [CaseRuns(row.id, row.name, sorted(runs[row.id], reverse=True)) for row in page]
    return CasePage(cases, total)


def _kept(model_id: int) -> Any:
    count = tables.RunCount
    return (
        select(count.test_case_name, count.status, func.sum(count.runs))
        .where(count.model_id == model_id, count.test_case_name != "", count.runs > 0)
        .group_by(count.test_case_name, count.status)
    )


def _counted(model_id: int, after: datetime | None, before: datetime | None) -> Any:
    run = tables.Run
    query = select(run.test_case_name, run.status, func.count()).where(
        run.model_id == model_id, run.test_case_name.is_not(None)
    )
    if after is not None:
        query = query.where(run.occurred_at > after)
    if before is not None:
        query = query.where(run.occurred_at < before)
    return query.group_by(run.test_case_name, run.status)
