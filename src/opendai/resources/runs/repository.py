"""Runs and their timings, as they are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from opendai.auth.callers import Caller
from opendai.errors import NotFound
from opendai.parts import repository
from opendai.resources.runs.pages import RunFilters, find_page
from opendai.resources.runs.states import FAILED
from opendai.resources.runs.visible import sees_run
from opendai.tables import Run, Timing
from opendai.wire.sorting import Column


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as far as lists and details show it."""

    id: int
    version_id: int
    model_name: str
    group_id: int
    status: str
    occurred_at: datetime
    ended_at: datetime | None
    seed: int
    coverage: float
    attempt: int
    generator: str
    test_case_name: str | None
    execution_id: str
    config_step: int | None
    failed_action: str | None


@dataclass(frozen=True, slots=True)
class TimingRow:
    """A step of a run: `state` is where the action began, and `seconds` is how long the action took."""

    position: int
    state: str
    action: str
    seconds: float


_RUNS: Select[*tuple[Any, ...]] = select(
    Run.id,
    Run.version_id,
    Run.model_name,
    Run.group_id,
    Run.status,
    Run.occurred_at,
    Run.ended_at,
    Run.seed,
    Run.coverage,
    Run.attempt,
    Run.generator,
    Run.test_case_name,
    Run.execution_id,
    Run.config_step,
    Run.failed_action,
)
_TIMINGS = (
    select(Timing.position, Timing.state, Timing.action, Timing.seconds)
    .where(Timing.run_id == bindparam("run_id"), Timing.attempt == bindparam("attempt"))
    .order_by(Timing.position)
)


class RunRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, run_id: int, caller: Caller) -> RunRow:
        row = self._session.execute(_RUNS.where(Run.id == run_id, sees_run(caller))).one_or_none()
        if row is None:
            raise NotFound(f"There is no run {run_id}.")
        return RunRow(*row)

    def search(
        self,
        caller: Caller,
        filters: RunFilters,
        *,
        sort: str | None,
        columns: Mapping[str, Column],
        offset: int,
        limit: int,
    ) -> tuple[Sequence[RunRow], int]:
        """A page of the runs that match, and how many match. Only the listed columns can be sorted by."""
        page = find_page(
            self._session, caller, filters, sort=sort, columns=columns, offset=offset, limit=limit
        )
        return self.read(page.ids, caller), page.total

    def read(self, ids: Sequence[int], caller: Caller) -> Sequence[RunRow]:
        """The runs in the order of the ids; runs that are gone or that the caller does not see are left out."""
        rows = self._session.execute(_RUNS.where(Run.id.in_(ids), sees_run(caller)))
        found = {row.id: RunRow(*row) for row in rows}
        return [found[run_id] for run_id in ids if run_id in found]

    def of_model(
        self,
        model_id: int,
        caller: Caller,
        *,
        after: datetime | None,
        before: datetime | None,
        offset: int,
        limit: int,
    ) -> Sequence[RunRow]:
        """Runs that occurred between two times, the newest first; None does not restrict."""
        query = select(Run.id).where(Run.model_id == model_id)
        if after is not None:
            query = query.where(Run.occurred_at > after)
        if before is not None:
            query = query.where(Run.occurred_at < before)
        query = query.order_by(Run.occurred_at.desc(), Run.id.desc()).offset(offset).limit(limit)
        return self.read(self._session.scalars(query).all(), caller)

    def failed(self, model_id: int, caller: Caller, *, offset: int, limit: int) -> Sequence[RunRow]:
        """Runs of a model that ended as FAILED, the newest first."""
        query = select(Run.id).where(Run.model_id == model_id, Run.status == FAILED)
        query = query.order_by(Run.id.desc()).offset(offset).limit(limit)
        return self.read(self._session.scalars(query).all(), caller)

    def timings(self, run_id: int, caller: Caller) -> Sequence[TimingRow]:
        """The steps of the run's newest attempt, in their order."""
        attempt = self._session.scalar(select(Run.attempt).where(Run.id == run_id, sees_run(caller)))
        if attempt is None:
            raise NotFound(f"There is no run {run_id}.")
        rows = self._session.execute(_TIMINGS, {"run_id": run_id, "attempt": attempt})
        return [TimingRow(*row) for row in rows]


Runs = Annotated[RunRepository, repository(RunRepository)]
