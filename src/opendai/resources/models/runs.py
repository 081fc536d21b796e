"""The runs of one model: all of them, those that failed, and those of each test case."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query

from opendai.auth.callers import User
from opendai.parts import SessionDep
from opendai.reports.testcases import CaseTotals, newest_by_case, totals_by_case
from opendai.resources.models.visible import get_model
from opendai.resources.runs.routes import RunOut, Runs
from opendai.wire.inputs import Id, Limit, Offset, Output, QueryMoment, Timestamp, Whole
from opendai.wire.routing import Router

CaseLimit = Annotated[Whole, Query(ge=1, le=100)]


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


class TestCaseRunsOut(Output):
    """A test case and its ten newest runs, the newest first."""

    id: int
    testcase: str
    runs: list[RunOut]


class ModelTestCaseRunsOut(Output):
    """`bob` is all that the published page names; it is the number of test cases as text."""

    bob: str
    items: list[TestCaseRunsOut]
    total_count: int
    date_as_of: Timestamp


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
    get_model(session, model_id, caller)
    return runs.of_model(model_id, caller, after=starttime, before=endtime, offset=offset, limit=limit)


@router.get("/models/{model_id}/defects")
def list_defects(
    caller: User, session: SessionDep, runs: Runs, model_id: Id, offset: Offset = 0, limit: Limit = 1000
) -> list[RunOut]:
    """The failed runs of a model, the newest first."""
    get_model(session, model_id, caller)
    return runs.failed(model_id, caller, offset=offset, limit=limit)


@router.get("/models/{model_id}/testcasesummary")
def get_testcase_summary(
    caller: User,
    session: SessionDep,
    model_id: Id,
    starttime: QueryMoment | None = None,
    endtime: QueryMoment | None = None,
) -> RunSummariesOut:
    """How many runs of each test case are in each status, by name; test cases that were never run are there too."""
    get_model(session, model_id, caller)
    totals = totals_by_case(session, model_id, after=starttime, before=endtime)
    return RunSummariesOut(items=[_summary(each) for each in totals])


@router.get("/models/{model_id}/testcaseruns")
def list_testcase_runs(
    caller: User,
    session: SessionDep,
    runs: Runs,
    model_id: Id,
    offset: Offset = 0,
    limit: CaseLimit = 100,
) -> ModelTestCaseRunsOut:
    """The test cases of a model by id, each with its newest runs."""
    get_model(session, model_id, caller)
    cases, total = newest_by_case(session, model_id, offset=offset, limit=limit)
    found: dict[int, Any] = {
        run.id: run for run in runs.read([run_id for case in cases for run_id in case.run_ids], caller)
    }
    return ModelTestCaseRunsOut(
        bob=str(total),
        items=[
            TestCaseRunsOut(
                id=case.id,
                testcase=case.name,
                runs=[found[run_id] for run_id in case.run_ids if run_id in found],
            )
            for case in cases
        ],
        total_count=total,
        date_as_of=datetime.now(UTC),
    )


def _summary(totals: CaseTotals) -> RunSummaryOut:
    runs = totals.runs
    return RunSummaryOut(
        testcase=totals.name,
        passcount=runs["PASSED"],
        failcount=runs["FAILED"],
        cancelcount=runs["CANCELLED"],
        errorcount=runs["ERROR"],
        incompletecount=runs["INCOMPLETE"] + runs["QUEUED"] + runs["RUNNING"],
    )
