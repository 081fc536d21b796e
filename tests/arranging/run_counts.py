"""The kept totals of runs, compared with the runs themselves."""

from collections import Counter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.database import Database

KIND = ["group_id", "model_id", "model_name", "test_case_name", "config_step", "status"]


def recounted(session: Session) -> Counter[tuple[Any, ...]]:
    """The runs by kind, counted one by one."""
    return Counter(
        (
            run.group_id,
            run.model_id,
            run.model_name,
            run.test_case_name or "",
            -1 if run.config_step is None else run.config_step,
            "INCOMPLETE" if run.ended_at is None else run.status,
        )
        for run in session.scalars(select(tables.Run))
    )


def assert_counts_are_right(database: Database) -> None:
    with database.reading() as session:
        rows = session.scalars(select(tables.RunCount).where(tables.RunCount.runs != 0))
        kept = {tuple(getattr(row, column) for column in KIND): row.runs for row in rows}
        assert kept == recounted(session)
