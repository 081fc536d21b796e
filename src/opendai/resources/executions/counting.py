"""Keeps the counts from which pages of runs know their totals."""

import functools
from collections import Counter
from typing import Any, NamedTuple

from sqlalchemy import Connection

from opendai import tables
from opendai.database import upsert_for
from opendai.resources.executions.rows import RunRow
from opendai.resources.runs.states import wire_status


class Kind(NamedTuple):
    """A kind of run, as runs are counted: the columns of `RunCount`, in their order."""

    group_id: int
    model_id: int
    model_name: str
    test_case_name: str
    config_step: int
    status: str


def kind_of(run: RunRow) -> Kind:
    """The kind that a run is of while it has this status."""
    return Kind(
        run.group_id,
        run.model_id,
        run.model_name,
        run.test_case_name or "",
        -1 if run.config_step is None else run.config_step,
        wire_status(run.status),
    )


def count_runs(connection: Connection, changes: Counter[Kind]) -> None:
    """Add the changes. Call it last in a transaction: others who count the same kind wait for it."""
    # Everyone locks the rows in this order, so that two who count several kinds cannot block each other.
    rows = [{**kind._asdict(), "runs": more} for kind, more in sorted(changes.items()) if more]
    if rows:
        connection.execute(_addition(connection.dialect.name), rows)


@functools.cache
def _addition(dialect_name: str) -> Any:
    statement = upsert_for(dialect_name, tables.RunCount)
    return statement.on_conflict_do_update(
        index_elements=list(Kind._fields), set_={"runs": tables.RunCount.runs + statement.excluded.runs}
    )
