"""/models/{model_id}/testcasesummary: how many runs of each test case are in each status."""

from opendai.auth.callers import User
from opendai.parts import SessionDep
from opendai.reports.testcases import CaseTotals, totals_by_case
from opendai.resources.models.visible import get_model
from opendai.resources.runs.states import CANCELLED, ERROR, FAILED, INCOMPLETE, PASSED, UNFINISHED
from opendai.wire.inputs import Id, Output, QueryMoment
from opendai.wire.routing import Router


class RunSummaryOut(Output):
    """How many runs of a test case are in each published status."""

    testcase: str
    passcount: int
    failcount: int
    cancelcount: int
    errorcount: int
    incompletecount: int


class RunSummariesOut(Output):
    items: list[RunSummaryOut]


router = Router(tags=["Runs"])


@router.get("/models/{model_id}/testcasesummary")
def get_testcase_summary(
    caller: User,
    session: SessionDep,
    model_id: Id,
    starttime: QueryMoment | None = None,
    endtime: QueryMoment | None = None,
) -> RunSummariesOut:
    """How many runs of each test case are in each status, by name; test cases without runs are listed with zeros."""
    model = get_model(session, model_id, caller)
    totals = totals_by_case(session, model.id, after=starttime, before=endtime)
    return RunSummariesOut(items=[_summary(each) for each in totals])


def _summary(totals: CaseTotals) -> RunSummaryOut:
    runs = totals.runs
    return RunSummaryOut(
        testcase=totals.name,
        passcount=runs[PASSED],
        failcount=runs[FAILED],
        cancelcount=runs[CANCELLED],
        errorcount=runs[ERROR],
        incompletecount=sum(runs[status] for status in (INCOMPLETE, *UNFINISHED)),
    )
