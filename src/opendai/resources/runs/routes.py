"""Runs under `/ai`: lists, details, timings."""

from opendai.auth.callers import User
from opendai.resources.runs.pages import RunFilters
from opendai.resources.runs.repository import Runs
from opendai.resources.runs.schemas import SORTABLE, RunOut, RunsOut, TimingOut, run_out, runs_out, timing_out
from opendai.wire.inputs import Id, Limit, Number, Offset, RowNumber, Search
from opendai.wire.routing import Router

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
    return runs_out(*runs.search(caller, filters, sort=sort, columns=SORTABLE, offset=offset, limit=limit))


@router.get("/runs/{id}")
def get_run(caller: User, runs: Runs, id: Id) -> RunOut:
    """One run."""
    return run_out(runs.get(id, caller))


@router.get("/runs/{id}/timings")
def list_timings(caller: User, runs: Runs, id: Id) -> list[TimingOut]:
    """How long each step took, in seconds; `state` is where the action began."""
    return [timing_out(timing) for timing in runs.timings(id, caller)]
