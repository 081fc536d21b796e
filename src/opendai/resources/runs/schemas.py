"""Runs as `/ai` words them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from opendai.resources.runs import pages
from opendai.resources.runs.repository import RunRow, TimingRow
from opendai.resources.runs.states import wire_status
from opendai.tables import Run
from opendai.wire.inputs import Output, Timestamp
from opendai.wire.sorting import Column

SORTABLE: Mapping[str, Column] = {
    "id": Run.id,
    "modelname": Run.model_name,
    "teststatus": pages.PUBLISHED_STATUS,
    "starttime": Run.occurred_at,
    "endtime": pages.END,
    "coverage": Run.coverage,
    "testcase": pages.TEST_CASE_NAME,
    "runtype": Run.generator,
    "step": pages.CONFIG_STEP,
}


class RunOut(Output):
    """A run. Fields that an ad-hoc run does not have are null."""

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


def run_out(run: RunRow) -> RunOut:
    return RunOut(
        id=run.id,
        hierarchyid=run.version_id,
        modelname=run.model_name,
        groupid=run.group_id,
        teststatus=wire_status(run.status),
        starttime=run.occurred_at,
        endtime=run.ended_at,
        seed=run.seed,
        coverage=run.coverage,
        logfile="",
        usedtests=run.test_case_name or "",
        events=run.attempt > 0,
        runtype=run.generator,
        testcase=run.test_case_name,
        testconfigtask=run.execution_id,
        step=run.config_step,
        failedaction=run.failed_action,
        scriptname=None,
        suitename=None,
    )


def runs_out(runs: Iterable[RunRow], total: int) -> RunsOut:
    return RunsOut(items=[run_out(run) for run in runs], total_count=total, date_as_of=datetime.now(UTC))


def timing_out(timing: TimingRow) -> TimingOut:
    return TimingOut(order=timing.position, state=timing.state, action=timing.action, timing=timing.seconds)
