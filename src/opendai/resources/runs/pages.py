"""One page of any number of runs, at the cost of a small number: see docs/decisions/0009-counted-paging.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, CompoundSelect, case, func, literal, select, union_all
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller
from opendai.resources.runs.states import INCOMPLETE, UNFINISHED
from opendai.tables.columns import Moment
from opendai.wire.sorting import Column, sort_by

# Each branch is planned and opened anew for a request; SQLite takes 500 at most.
_MOST_BRANCHES = 100

# Expressions to sort by. The databases disagree on where to put null, so each of them has a value for it.
PUBLISHED_STATUS = case((tables.Run.status.in_(UNFINISHED), INCOMPLETE), else_=tables.Run.status)
TEST_CASE_NAME = func.coalesce(tables.Run.test_case_name, "")
CONFIG_STEP = func.coalesce(tables.Run.config_step, -1)
# A run that has not ended yet ends last.
END = func.coalesce(tables.Run.ended_at, literal(datetime(9999, 1, 1, tzinfo=UTC), Moment))

Conditions = list[ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class RunFilters:
    """The filters of a list of runs; None does not restrict. `status` is a published one, in capitals."""

    id: int | None = None
    test_case: str | None = None
    status: str | None = None
    model_name: str | None = None
    execution_id: str | None = None
    step: int | None = None
    model_uuid: str | None = None

    @property
    def is_counted(self) -> bool:
        """Whether totals are kept for these filters. The other filters match a few rows, which are counted."""
        return self.id is None and self.execution_id is None


@dataclass(frozen=True, slots=True)
class Page:
    """The ids of a page's runs in the requested order, and the number of runs on all pages."""

    ids: list[int]
    total: int


def find_page(
    session: Session,
    caller: Caller,
    filters: RunFilters,
    *,
    sort: str | None,
    columns: Mapping[str, Column],
    offset: int,
    limit: int,
) -> Page:
    """The page of the runs that the caller sees. Only the listed columns can be sorted by."""
    run = tables.Run
    order = sort_by(sort, columns, run.id)
    if not filters.is_counted:
        return _count_and_find(session, caller, filters, order, offset=offset, limit=limit)
    totals = _totals(session, caller, filters)
    total = sum(totals.values())
    if offset >= total:
        return Page([], total)
    wish = (sort or "").strip()
    if wish.lstrip("+-") not in {"", "id"}:
        query = select(run.id).where(*_matching(caller, filters)).order_by(*order)
        return Page(list(session.scalars(query.offset(offset).limit(limit))), total)
    branches = _branches(caller, filters, list(totals))
    size = min(limit, total - offset)
    beyond = total - offset - size
    if beyond >= offset:
        part = _merged(branches, is_descending=wish.startswith("-"), offset=offset, limit=size)
        return Page(list(session.scalars(part)), total)
    # The database reads the rows that it skips, so a page of the second half is read from the other end.
    part = _merged(branches, is_descending=not wish.startswith("-"), offset=beyond, limit=size)
    return Page(list(session.scalars(part))[::-1], total)


def _count_and_find(
    session: Session,
    caller: Caller,
    filters: RunFilters,
    order: list[ColumnElement[bool]],
    *,
    offset: int,
    limit: int,
) -> Page:
    run = tables.Run
    # The sum hides the group from the planner: the run or the execution leads to fewer rows than any group.
    found = [*_matching(None, filters), caller.sees(run.group_id + 0)]
    query = select(run.id).where(*found).order_by(*order).offset(offset).limit(limit)
    total = session.scalar(select(func.count()).select_from(run).where(*found)) or 0
    return Page(list(session.scalars(query)), total)


def _totals(session: Session, caller: Caller, filters: RunFilters) -> dict[int, int]:
    """The number of matching runs in each group that has some."""
    count = tables.RunCount
    conditions = [caller.sees(count.group_id), *_common(count, filters)]
    if filters.status is not None:
        conditions.append(count.status == filters.status)
    runs = func.sum(count.runs)
    query = select(count.group_id, runs).where(*conditions).group_by(count.group_id).having(runs > 0)
    return {group_id: int(total) for group_id, total in session.execute(query)}


def _branches(caller: Caller, filters: RunFilters, groups: list[int]) -> list[Conditions]:
    """Split the matching runs into parts, each of which an index holds in the order of the ids."""
    run = tables.Run
    common = _common(run, filters)
    if caller.is_admin and filters == RunFilters():
        return [[]]
    statuses: list[Conditions] = [[]]
    if filters.status is not None:
        statuses = [[run.status == status] for status in _stored(filters.status)]
    if len(groups) * len(statuses) > _MOST_BRANCHES:
        return [[caller.sees(run.group_id), *common, *status] for status in statuses]
    return [[run.group_id == group, *common, *status] for group in groups for status in statuses]


def _merged(
    branches: list[Conditions], *, is_descending: bool, offset: int, limit: int
) -> CompoundSelect[int]:
    """A page of all branches together by id. Both databases merge row by row and stop after the page."""
    run = tables.Run
    order = run.id.desc() if is_descending else run.id.asc()
    parts = [
        # A branch without its own limit would make PostgreSQL read and sort all of the branch.
        select(select(run.id).where(*conditions).order_by(order).limit(offset + limit).subquery().c.id)
        for conditions in branches
    ]
    together = union_all(*parts)
    column = together.selected_columns[0]
    return together.order_by(column.desc() if is_descending else column.asc()).offset(offset).limit(limit)


def _matching(caller: Caller | None, filters: RunFilters) -> Conditions:
    run = tables.Run
    conditions = _common(run, filters)
    if caller is not None:
        conditions.append(caller.sees(run.group_id))
    if filters.id is not None:
        conditions.append(run.id == filters.id)
    if filters.execution_id is not None:
        conditions.append(run.execution_id == filters.execution_id)
    if filters.status is not None:
        conditions.append(run.status.in_(_stored(filters.status)))
    return conditions


def _common(table: type[tables.Run | tables.RunCount], filters: RunFilters) -> Conditions:
    """The conditions that runs and their counts share."""
    conditions: Conditions = []
    if filters.test_case is not None:
        conditions.append(table.test_case_name == filters.test_case)
    if filters.model_name is not None:
        conditions.append(table.model_name == filters.model_name)
    if filters.step is not None:
        conditions.append(table.config_step == filters.step)
    if filters.model_uuid is not None:
        model = tables.Model
        wanted = select(model.id).where(model.uuid == filters.model_uuid).scalar_subquery()
        conditions.append(table.model_id == wanted)
    return conditions


def _stored(status: str) -> tuple[str, ...]:
    """The stored statuses that are published as this one; none if the status is not a published one."""
    if status == INCOMPLETE:
        return UNFINISHED
    return () if status in UNFINISHED else (status,)
