"""/models/{model_id}/runs and /defects: the runs of one model, and those of them that failed."""

from opendai.auth.callers import User
from opendai.parts import SessionDep
from opendai.resources.models.visible import get_model
from opendai.resources.runs.repository import Runs
from opendai.resources.runs.schemas import RunOut, run_out
from opendai.wire.inputs import Id, Limit, Offset, QueryMoment
from opendai.wire.routing import Router

router = Router(tags=["Runs"])


@router.get("/models/{model_id}/runs")
def list_model_runs(
    caller: User,
    session: SessionDep,
    runs: Runs,
    model_id: Id,
    starttime: QueryMoment | None = None,
    endtime: QueryMoment | None = None,
    offset: Offset = 0,
    limit: Limit = 1000,
) -> list[RunOut]:
    """The runs of a model that occurred after `starttime` and before `endtime`, the newest first."""
    model = get_model(session, model_id, caller)
    found = runs.of_model(model.id, caller, after=starttime, before=endtime, offset=offset, limit=limit)
    return [run_out(run) for run in found]


@router.get("/models/{model_id}/defects")
def list_defects(
    caller: User, session: SessionDep, runs: Runs, model_id: Id, offset: Offset = 0, limit: Limit = 1000
) -> list[RunOut]:
    """The failed runs of a model, the newest first."""
    model = get_model(session, model_id, caller)
    return [run_out(run) for run in runs.failed(model.id, caller, offset=offset, limit=limit)]
