"""Which test config tasks a caller sees, and pages of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, func, or_, select, true, union_all
from sqlalchemy.orm import Session

from opendai.auth.callers import Caller
from opendai.tables import Execution
from opendai.wire.sorting import Column, sort_by

# Each branch of a merged list is planned anew for a request; SQLite takes 500 at most.
_MOST_BRANCHES = 100

# For sorting: the databases disagree on where to put null.
TEST_CONFIG_ID = func.coalesce(Execution.test_config_id, "")


@dataclass(frozen=True, slots=True)
class TaskFilters:
    """The filters of a list of tasks; None does not restrict."""

    test_config_id: str | None = None
    newest_per_test_config: int | None = None


def sees_task(caller: Caller) -> ColumnElement[bool]:
    """The condition that an execution is in a group of the caller, or was recorded by the caller."""
    return true() if caller.is_admin else or_(*_ways_to_see(caller))


def find_task_ids(
    session: Session,
    caller: Caller,
    filters: TaskFilters,
    *,
    sort: str | None,
    columns: Mapping[str, Column],
    offset: int,
    limit: int,
) -> Sequence[str]:
    """The ids of a page in the requested order, otherwise newest first. Only the listed columns can be sorted by."""
    is_plain = not sort and filters == TaskFilters()
    if is_plain and not caller.is_admin and len(caller.groups) < _MOST_BRANCHES:
        page = _newest_first(caller, offset=offset, limit=limit)
        return [row.id for row in session.execute(page)]
    order = (
        sort_by(sort, columns, Execution.id) if sort else [Execution.created_at.desc(), Execution.id.desc()]
    )
    matching = select(Execution.id).where(*_matching(caller, filters)).order_by(*order)
    return session.scalars(matching.offset(offset).limit(limit)).all()


def _matching(caller: Caller, filters: TaskFilters) -> list[ColumnElement[bool]]:
    conditions = [sees_task(caller)]
    if filters.test_config_id is not None:
        conditions.append(Execution.test_config_id == filters.test_config_id)
    if filters.newest_per_test_config is not None:
        conditions.append(_is_among_newest(conditions, filters.newest_per_test_config))
    return conditions


def _ways_to_see(caller: Caller) -> list[ColumnElement[bool]]:
    # Only a user's id may be compared with an owner's: programs that come here are administrators.
    return [
        *(Execution.group_id == group for group in sorted(caller.groups)),
        Execution.owner_id == caller.id,
    ]


def _newest_first(caller: Caller, *, offset: int, limit: int) -> CompoundSelect[Any]:
    """A page of all tasks that a user sees: each part is read in the order of an index and merged row by row."""
    newest = select(Execution.id, Execution.created_at).order_by(
        Execution.created_at.desc(), Execution.id.desc()
    )
    parts = [select(newest.where(way).limit(offset + limit).subquery()) for way in _ways_to_see(caller)]
    together = union_all(*parts)
    columns = together.selected_columns
    return together.order_by(columns.created_at.desc(), columns.id.desc()).offset(offset).limit(limit)


def _is_among_newest(conditions: list[ColumnElement[bool]], limit: int) -> ColumnElement[bool]:
    """The condition that keeps the newest of each test configuration, and every task without one."""
    rank = func.row_number().over(
        partition_by=Execution.test_config_id, order_by=(Execution.created_at.desc(), Execution.id.desc())
    )
    ranked = select(Execution.id, Execution.test_config_id, rank.label("rank")).where(*conditions).subquery()
    is_kept = or_(ranked.c.test_config_id.is_(None), ranked.c.rank <= limit)
    return Execution.id.in_(select(ranked.c.id).where(is_kept))
