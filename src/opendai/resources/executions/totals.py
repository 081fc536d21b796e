"""The totals of versions and test cases over their finished runs, so that no report has to read the runs."""

import functools
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    String,
    bindparam,
    cast,
    delete,
    func,
    select,
    update,
)
from sqlalchemy import case as sql_case

from opendai import tables
from opendai.database import upsert_for
from opendai.resources.executions.rows import RunRow
from opendai.resources.runs.states import FAILED, PASSED

_version, _case, _timing, _total = (
    tables.ModelVersion,
    tables.TestCase,
    tables.Timing,
    tables.TransitionTotal,
)

WALKED_STEPS: ColumnElement[bool] = (
    (_timing.run_id == bindparam("of_run"))
    & (_timing.attempt == bindparam("of_attempt"))
    & (_timing.phase == "walk")
    & (_timing.action != "")
)
"""The condition for steps that count as coverage: actions of one attempt, without those of failure and cleanup."""

_VERDICT = (
    update(_version)
    .where(_version.id == bindparam("of_version"))
    .values(
        passed=_version.passed + bindparam("more_passed"),
        failed=_version.failed + bindparam("more_failed"),
        broken=_version.broken + bindparam("more_broken"),
    )
)
_CASE = (
    update(_case)
    .where(_case.id == bindparam("of_case"))
    .values(runs=_case.runs + bindparam("more_runs"), fails=_case.fails + bindparam("more_fails"))
)
_NEVER_TAKEN = delete(_total).where(
    _total.version_id == bindparam("of_version"),
    _total.test_case == bindparam("of_test_case"),
    _total.passes + _total.fails <= 0,
)


def add_to_totals(connection: Connection, runs: Sequence[RunRow]) -> None:
    """Count finished runs towards their versions and their test cases."""
    _count(connection, runs, 1)


def take_from_totals(connection: Connection, run: RunRow) -> None:
    """Undo the counting that was done when this run ended."""
    _count(connection, [run], -1)
    # A transition that no run has taken is not covered, so no row may say that it was taken no times.
    connection.execute(_NEVER_TAKEN, {"of_version": run.version_id, "of_test_case": run.test_case_name or ""})


def _count(connection: Connection, runs: Sequence[RunRow], times: int) -> None:
    """In the order of the ids, so that two transactions which count several runs cannot block each other.

    The rows of the transitions need no order across runs: the transaction that writes them has locked the version.
    """
    if not runs:
        return
    connection.execute(
        _VERDICT, [_verdict(run, times) for run in sorted(runs, key=lambda run: run.version_id)]
    )
    walked = [_walked(run, times) for run in runs if run.last_event]
    if walked:
        connection.execute(_transitions(connection.dialect.name), walked)
    cases = sorted((run.test_case_id, run.status == FAILED) for run in runs if run.test_case_id is not None)
    if cases:
        connection.execute(
            _CASE,
            [
                {"of_case": number, "more_runs": times, "more_fails": times * is_failed}
                for number, is_failed in cases
            ],
        )


def _verdict(run: RunRow, times: int) -> dict[str, int]:
    is_passed, is_failed = run.status == PASSED, run.status == FAILED
    return {
        "of_version": run.version_id,
        "more_passed": times * is_passed,
        "more_failed": times * is_failed,
        "more_broken": times * (not is_passed and not is_failed),
    }


def _walked(run: RunRow, times: int) -> dict[str, Any]:
    return {
        "of_version": run.version_id,
        "of_test_case": run.test_case_name or "",
        "of_run": run.id,
        "of_attempt": run.attempt,
        "times": times,
    }


@functools.cache
def _transitions(dialect_name: str) -> Any:
    passes = func.sum(sql_case((_timing.is_passed, 1), else_=0))
    times = bindparam("times", type_=Integer)
    counted = (
        select(
            bindparam("of_version", type_=BigInteger),
            bindparam("of_test_case", type_=String),
            _timing.state,
            _timing.action,
            cast(passes * times, Integer),
            cast((func.count() - passes) * times, Integer),
        )
        .where(WALKED_STEPS)
        .group_by(_timing.state, _timing.action)
    )
    columns = ["version_id", "test_case", "state", "action", "passes", "fails"]
    statement = upsert_for(dialect_name, _total).from_select(columns, counted)
    return statement.on_conflict_do_update(
        index_elements=columns[:4],
        set_={
            "passes": _total.passes + statement.excluded.passes,
            "fails": _total.fails + statement.excluded.fails,
        },
    )
