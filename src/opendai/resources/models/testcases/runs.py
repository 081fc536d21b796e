"""/models/{model_id}/testcaseruns: the newest runs of each test case."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query

from opendai.auth.callers import User
from opendai.parts import SessionDep
from opendai.reports.testcases import newest_by_case
from opendai.resources.models.visible import get_model
from opendai.resources.runs.repository import Runs
from opendai.resources.runs.schemas import RunOut, run_out
from opendai.wire.inputs import Id, Offset, Output, Timestamp, Whole
from opendai.wire.routing import Router

CaseLimit = Annotated[Whole, Query(ge=1, le=100)]


class TestCaseRunsOut(Output):
    """A test case and its ten newest runs, the newest first."""

    id: int
    testcase: str
    runs: list[RunOut]


class ModelTestCaseRunsOut(Output):
    """`bob`, the only field of the published page, is the number of test cases as text."""

    bob: str
    items: list[TestCaseRunsOut]
    total_count: int
    date_as_of: Timestamp


router = Router(tags=["Runs"])


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
    model = get_model(session, model_id, caller)
    page = newest_by_case(session, model.id, offset=offset, limit=limit)
    ids = [run_id for case in page.cases for run_id in case.run_ids]
    found = {run.id: run_out(run) for run in runs.read(ids, caller)}
    return ModelTestCaseRunsOut(
        bob=str(page.total),
        items=[
            TestCaseRunsOut(
                id=case.id,
                testcase=case.name,
                runs=[found[run_id] for run_id in case.run_ids if run_id in found],
            )
            for case in page.cases
        ],
        total_count=page.total,
        date_as_of=datetime.now(UTC),
    )
