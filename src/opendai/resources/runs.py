"""Runs, as everyone reads them: lists, details, timings."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter
from sqlalchemy import ColumnElement, Select, case, func, literal, null, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller, User
from opendai.database import repository
from opendai.errors import NotFound
from opendai.resources.inputs import Id, Limit, Offset, Output, Search, Timestamp, Whole
from opendai.resources.sorting import sort_by

QUEUED, RUNNING = "QUEUED", "RUNNING"
UNFINISHED = (QUEUED, RUNNING)
INCOMPLETE = "INCOMPLETE"


def wire_status(status: str) -> str:
    """The published status: a run that has not finished is INCOMPLETE, whether it waits or walks."""
    return INCOMPLETE if status in UNFINISHED else status


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
        self, caller: Caller, filters: list[ColumnElement[bool]], *, sort: str | None, offset: int, limit: int
    ) -> RunsOut:
        conditions = [_seen(caller), *filters]
        order = sort_by(sort, _SORTABLE, tables.Run.id)
        rows = self._session.execute(_runs().where(*conditions).order_by(*order).offset(offset).limit(limit))
        return RunsOut(
            items=[RunOut.model_validate(row) for row in rows],
            total_count=self._session.scalar(select(func.count(tables.Run.id)).where(*conditions)) or 0,
            date_as_of=datetime.now(UTC),
        )

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
_started = func.coalesce(tables.Run.started_at, tables.Run.created_at)

_SORTABLE = {
    "id": tables.Run.id,
    "modelname": tables.Run.model_name,
    "teststatus": _status,
    "starttime": _started,
    "endtime": tables.Run.ended_at,
    "coverage": tables.Run.coverage,
    "testcase": tables.Run.test_case_name,
    "runtype": tables.Run.generator,
    "step": tables.Run.config_step,
}


def _runs() -> Select[Any]:
    run = tables.Run
    return select(
        run.id,
        run.version_id.label("hierarchyid"),
        run.model_name.label("modelname"),
        run.group_id.label("groupid"),
        _status.label("teststatus"),
        _started.label("starttime"),
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
router = APIRouter(tags=["Runs"])


@router.get("/runs")
def list_runs(
    caller: User,
    runs: Runs,
    id: Whole | None = None,
    testcase: Search | None = None,
    teststatus: Search | None = None,
    modelname: Search | None = None,
    task_instance_id: Search | None = None,
    sort: Search | None = None,
    offset: Offset = 0,
    limit: Limit = 1000,
    step: Whole | None = None,
    modeluuid: Search | None = None,
) -> RunsOut:
    """The runs of the caller's groups, by id."""
    run = tables.Run
    filters: list[ColumnElement[bool]] = []
    if id is not None:
        filters.append(run.id == id)
    if testcase is not None:
        filters.append(run.test_case_name == testcase)
    if teststatus is not None:
        wanted = teststatus.upper()
        filters.append(run.status.in_(UNFINISHED) if wanted == INCOMPLETE else run.status == wanted)
    if modelname is not None:
        filters.append(run.model_name == modelname)
    if task_instance_id is not None:
        filters.append(run.execution_id == task_instance_id)
    if step is not None:
        filters.append(run.config_step == step)
    if modeluuid is not None:
        filters.append(run.model_id.in_(select(tables.Model.id).where(tables.Model.uuid == modeluuid)))
    return runs.search(caller, filters, sort=sort, offset=offset, limit=limit)


@router.get("/runs/{id}")
def get_run(caller: User, runs: Runs, id: Id) -> RunOut:
    """One run."""
    return runs.get(id, caller)


@router.get("/runs/{id}/timings")
def list_timings(caller: User, runs: Runs, id: Id) -> list[TimingOut]:
    """How long each step took, in seconds; `state` is where the action began."""
    return runs.timings(id, caller)
