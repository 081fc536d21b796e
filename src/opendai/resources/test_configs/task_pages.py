"""Which test config tasks a caller sees, and pages of them."""

from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import ColumnElement, func, or_, select, true, union_all
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller
from opendai.reports.tasks import task_status
from opendai.wire.inputs import Input, Limit, Offset, Search, Whole
from opendai.wire.sorting import sort_by

# Each branch of a merged list is planned anew for a request; SQLite takes 500 at most.
_MOST_BRANCHES = 100
_SORTABLE = {
    "created_datetime": tables.Execution.created_at,
    "runstatus": task_status(),
    # The databases disagree on where to put what is null.
    "test_config_id": func.coalesce(tables.Execution.test_config_id, ""),
    "task_instance_id": tables.Execution.id,
    "updated_datetime": tables.Execution.updated_at,
}


class TaskQuery(Input):
    """What a list of tasks can be asked for. A filter without a value does not restrict."""

    test_config_id: Search | None = None
    offset: Offset = 0
    limit: Limit = 1000
    sort: Search | None = None
    limit_per_test_config: Annotated[Whole, Query(ge=1, le=1000)] | None = None


def sees_task(caller: Caller) -> ColumnElement[bool]:
    """The condition that an execution is of the caller's groups, or one that the caller wrote down."""
    return true() if caller.is_admin else or_(*_ways_to_see(caller))


def find_task_ids(session: Session, caller: Caller, query: TaskQuery) -> list[str]:
    """The ids of a page in the order that is asked for, or else from the newest on."""
    execution = tables.Execution
    is_plain = not (query.sort or query.test_config_id or query.limit_per_test_config)
    if is_plain and not caller.is_admin and len(caller.groups) < _MOST_BRANCHES:
        return [row.id for row in session.execute(_newest_first(caller, query))]
    conditions = [sees_task(caller)]
    if query.test_config_id:
        conditions.append(execution.test_config_id == query.test_config_id.lower())
    if query.limit_per_test_config:
        conditions.append(_is_among_newest(conditions, query.limit_per_test_config))
    order = sort_by(query.sort or "-created_datetime", _SORTABLE, execution.id)
    page = select(execution.id).where(*conditions).order_by(*order).offset(query.offset).limit(query.limit)
    return list(session.scalars(page))


def _ways_to_see(caller: Caller) -> list[ColumnElement[bool]]:
    execution = tables.Execution
    # Programs own nothing, and those that get here are administrators: their ids are not compared with users'.
    return [
        *(execution.group_id == group for group in sorted(caller.groups)),
        execution.owner_id == caller.id,
    ]


def _newest_first(caller: Caller, query: TaskQuery) -> Any:
    """A page of all that a user sees, each part read in the order of an index and merged row by row."""
    execution = tables.Execution
    newest = select(execution.id, execution.created_at).order_by(
        execution.created_at.desc(), execution.id.desc()
    )
    most = query.offset + query.limit
    parts = [select(newest.where(way).limit(most).subquery()) for way in _ways_to_see(caller)]
    together = union_all(*parts)
    columns = together.selected_columns
    page = together.order_by(columns.created_at.desc(), columns.id.desc())
    return page.offset(query.offset).limit(query.limit)


def _is_among_newest(conditions: list[ColumnElement[bool]], limit: int) -> ColumnElement[bool]:
    """Those of no test configuration are not limited."""
    execution = tables.Execution
    rank = func.row_number().over(
        partition_by=execution.test_config_id, order_by=(execution.created_at.desc(), execution.id.desc())
    )
    ranked = select(execution.id, execution.test_config_id, rank.label("rank")).where(*conditions).subquery()
    is_kept = or_(ranked.c.test_config_id.is_(None), ranked.c.rank <= limit)
    return execution.id.in_(select(ranked.c.id).where(is_kept))
