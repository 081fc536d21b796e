"""The totals of finished runs by version and test case, so that no report has to read the runs."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Integer, cast, delete, func, literal, select, update
from sqlalchemy import case as sql_case
from sqlalchemy.orm import Session

from opendai import tables
from opendai.database import upsert
from opendai.resources.runs.states import FAILED, PASSED


def add_to_totals(session: Session, runs: Sequence[tables.Run]) -> None:
    """Count finished runs towards their versions and their test cases."""
    _count(session, runs, 1)


def take_from_totals(session: Session, run: tables.Run) -> None:
    """Undo what was counted when this run ended."""
    _count(session, [run], -1)
    total = tables.TransitionTotal
    # A transition that no run has taken is not covered: its row goes.
    session.execute(delete(total).where(*_total_of(run), total.passes + total.fails <= 0))


def walked_steps(run: tables.Run) -> list[ColumnElement[bool]]:
    """The steps that count as coverage: actions of the newest attempt, without the ways of failure and cleanup."""
    timing = tables.Timing
    return [
        timing.run_id == run.id,
        timing.attempt == run.attempt,
        timing.phase == "walk",
        timing.action != "",
    ]


def _count(session: Session, runs: Sequence[tables.Run], times: int) -> None:
    """In the order of the ids, so that two transactions which count several runs cannot block each other.

    The rows of the transitions need no order across runs: whoever writes them holds the version's row.
    """
    for run in sorted(runs, key=lambda run: run.version_id):
        _count_run(session, run, times)
    for run in runs:
        _count_transitions(session, run, times)
    case = tables.TestCase
    walked = [(run.test_case_id, int(run.status == FAILED)) for run in runs if run.test_case_id is not None]
    for case_id, fails in sorted(walked):
        session.execute(
            update(case)
            .where(case.id == case_id)
            .values(runs=case.runs + times, fails=case.fails + times * fails)
            .execution_options(synchronize_session=False)
        )


def _count_run(session: Session, run: tables.Run, times: int) -> None:
    version = tables.ModelVersion
    counter = {PASSED: version.passed, FAILED: version.failed}.get(run.status, version.broken)
    session.execute(
        update(version)
        .where(version.id == run.version_id)
        .values({counter: counter + times})
        .execution_options(synchronize_session=False)
    )


def _count_transitions(session: Session, run: tables.Run, times: int) -> None:
    timing, total = tables.Timing, tables.TransitionTotal
    passes = func.sum(sql_case((timing.is_passed, 1), else_=0))
    counted = (
        select(
            literal(run.version_id),
            literal(run.test_case_name or ""),
            timing.state,
            timing.action,
            cast(passes * times, Integer),
            cast((func.count() - passes) * times, Integer),
        )
        .where(*walked_steps(run))
        .group_by(timing.state, timing.action)
    )
    columns = ["version_id", "test_case", "state", "action", "passes", "fails"]
    statement = upsert(session, total).from_select(columns, counted)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=columns[:4],
            set_={
                "passes": total.passes + statement.excluded.passes,
                "fails": total.fails + statement.excluded.fails,
            },
        )
    )


def _total_of(run: tables.Run) -> list[ColumnElement[bool]]:
    total = tables.TransitionTotal
    return [total.version_id == run.version_id, total.test_case == (run.test_case_name or "")]
