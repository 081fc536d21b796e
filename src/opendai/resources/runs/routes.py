"""Runs, as everyone reads them: lists, details, timings."""

from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import ColumnElement, Select, case, func, literal, null, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller, User
from opendai.errors import NotFound
from opendai.parts import repository
from opendai.resources.runs.pages import RunFilters, find_page
from opendai.resources.runs.states import FAILED, INCOMPLETE, UNFINISHED
from opendai.tables.columns import Moment
from opendai.wire.inputs import Id, Limit, Number, Offset, Output, RowNumber, Search, Timestamp
from opendai.wire.routing import Router


class RunOut(Output):
    """A run. What an ad-hoc run does not have is null."""

    id: int
    hierarchyid: int
    modelname: str
    groupid: int
    teststatus: str
    starttime: Timestamp
    endtime: Timestamp | None
    seed: int
    coverage: float
    logfile: str
    usedtests: str
    events: bool
    runtype: str
    testcase: str | None
    testconfigtask: str
    step: int | None
    failedaction: str | None
    scriptname: str | None
    suitename: str | None


class RunsOut(Output):
    items: list[RunOut]
    total_count: int
    date_as_of: Timestamp


class TimingOut(Output):
    order: int
    state: str
    action: str
    timing: float


class RunRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, run_id: int, caller: Caller) -> RunOut:
        row = self._session.execute(_runs().where(tables.Run.id == run_id, _seen(caller))).one_or_none()
        if row is None:
            raise NotFound(f"There is no run {run_id}.")
        return RunOut.model_validate(row)

    def search(
        self, caller: Caller, filters: RunFilters, *, sort: str | None, offset: int, limit: int
    ) -> RunsOut:
        page = find_page(
            self._session, caller, filters, sort=sort, columns=_SORTABLE, offset=offset, limit=limit
        )
        return RunsOut(
            items=self.read(page.ids, caller), total_count=page.total, date_as_of=datetime.now(UTC)
        )

    def read(self, ids: list[int], caller: Caller) -> list[RunOut]:
        """The runs in the order of their ids as given; those that are gone or not seen are left out."""
        rows = self._session.execute(_runs().where(tables.Run.id.in_(ids), _seen(caller)))
        found = {row.id: row for row in rows}
        return [RunOut.model_validate(found[run_id]) for run_id in ids if run_id in found]

    def of_model(
        self,
        model_id: int,
        caller: Caller,
        *,
        after: datetime | None,
        before: datetime | None,
        offset: int,
        limit: int,
    ) -> list[RunOut]:
        """Runs that occurred in a time, the newest first."""
        run = tables.Run
        query = select(run.id).where(run.model_id == model_id)
        if after is not None:
            query = query.where(run.occurred_at > after)
        if before is not None:
            query = query.where(run.occurred_at < before)
        query = query.order_by(run.occurred_at.desc(), run.id.desc()).offset(offset).limit(limit)
        return self.read(list(self._session.scalars(query)), caller)

    def failed(self, model_id: int, caller: Caller, *, offset: int, limit: int) -> list[RunOut]:
        """Runs of a model that ended as FAILED, the newest first."""
        run = tables.Run
        query = select(run.id).where(run.model_id == model_id, run.status == FAILED)
        query = query.order_by(run.id.desc()).offset(offset).limit(limit)
        return self.read(list(self._session.scalars(query)), caller)

    def timings(self, run_id: int, caller: Caller) -> list[TimingOut]:
        """The steps of the run's newest attempt, in their order."""
        attempt = self._session.scalar(
            select(tables.Run.attempt).where(tables.Run.id == run_id, _seen(caller))
        )
        if attempt is None:
            raise NotFound(f"There is no run {run_id}.")
        timing = tables.Timing
        rows = self._session.execute(
            select(
                timing.position.label("order"), timing.state, timing.action, timing.seconds.label("timing")
            )
            .where(timing.run_id == run_id, timing.attempt == attempt)
            .order_by(timing.position)
        )
        return [TimingOut.model_validate(row) for row in rows]


def find_visible_run(session: Session, caller: Caller, run_id: int) -> tables.Run | None:
    """The run, if the caller may add to it: people see their groups' runs, an agent's client what it walks."""
    query = select(tables.Run).where(tables.Run.id == run_id)
    if caller.is_agent_client:
        agent = select(tables.Agent.id).where(tables.Agent.client_id == caller.id).scalar_subquery()
        return session.scalar(query.where(tables.Run.agent_id == agent))
    return session.scalar(query.where(_seen(caller)))


def _seen(caller: Caller) -> ColumnElement[bool]:
    return caller.sees(tables.Run.group_id)


_status = case((tables.Run.status.in_(UNFINISHED), INCOMPLETE), else_=tables.Run.status)

_SORTABLE = {
    "id": tables.Run.id,
    "modelname": tables.Run.model_name,
    "teststatus": _status,
    "starttime": tables.Run.occurred_at,
    # The databases disagree on where to put what is null: here what has not ended yet ends last.
    "endtime": func.coalesce(tables.Run.ended_at, literal(datetime(9999, 1, 1, tzinfo=UTC), Moment)),
    "coverage": tables.Run.coverage,
    "testcase": func.coalesce(tables.Run.test_case_name, ""),
    "runtype": tables.Run.generator,
    "step": func.coalesce(tables.Run.config_step, -1),
}


def _runs() -> Select[Any]:
    run = tables.Run
    return select(
        run.id,
        run.version_id.label("hierarchyid"),
        run.model_name.label("modelname"),
        run.group_id.label("groupid"),
        _status.label("teststatus"),
        run.occurred_at.label("starttime"),
        run.ended_at.label("endtime"),
        run.seed,
        run.coverage,
        literal("").label("logfile"),
        func.coalesce(run.test_case_name, "").label("usedtests"),
        (run.attempt > 0).label("events"),
        run.generator.label("runtype"),
        run.test_case_name.label("testcase"),
        run.execution_id.label("testconfigtask"),
        run.config_step.label("step"),
        run.failed_action.label("failedaction"),
        null().label("scriptname"),
        null().label("suitename"),
    )


Runs = Annotated[RunRepository, repository(RunRepository)]
router = Router(tags=["Runs"])


@router.get("/runs")
def list_runs(
    caller: User,
    runs: Runs,
    id: RowNumber | None = None,
    testcase: Search | None = None,
    teststatus: Search | None = None,
    modelname: Search | None = None,
    task_instance_id: Search | None = None,
    sort: Search | None = None,
    offset: Offset = 0,
    limit: Limit = 1000,
    step: Number | None = None,
    modeluuid: Search | None = None,
) -> RunsOut:
    """The runs of the caller's groups, by id. A filter without a value does not restrict."""
    filters = RunFilters(
        id=id,
        test_case=testcase or None,
        status=teststatus.upper() if teststatus else None,
        model_name=modelname or None,
        execution_id=task_instance_id.lower() if task_instance_id else None,
        step=step,
        model_uuid=modeluuid.lower() if modeluuid else None,
    )
    return runs.search(caller, filters, sort=sort, offset=offset, limit=limit)


@router.get("/runs/{id}")
def get_run(caller: User, runs: Runs, id: Id) -> RunOut:
    """One run."""
    return runs.get(id, caller)


@router.get("/runs/{id}/timings")
def list_timings(caller: User, runs: Runs, id: Id) -> list[TimingOut]:
    """How long each step took, in seconds; `state` is where the action began."""
    return runs.timings(id, caller)
