"""The bodies about executions, as DAI 6.5 to 7.5 publish them."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from opendai.database import AnyRow
from opendai.engine import CHOSEN_BY_NAME
from opendai.resources.executions.rows import QueuedRun
from opendai.resources.runs.states import RUNNING, wire_status
from opendai.wire.inputs import LARGEST_ID, Input, Line, Output, Timestamp, Whole


def _number_as_text(value: object) -> object:
    return str(value) if type(value) is int else value


def _is_generator(value: str) -> str:
    if value not in CHOSEN_BY_NAME:
        raise ValueError(f"Input should be {' or '.join(map(repr, CHOSEN_BY_NAME))}")
    return value


Generator = Annotated[
    str, AfterValidator(_is_generator), Field(json_schema_extra={"enum": [*CHOSEN_BY_NAME]})
]


class AgentChoice(Input):
    """Which agent walks: one by its id, or "any" for whichever is free."""

    agent_id: Annotated[Line, BeforeValidator(_number_as_text)]
    is_hosted_agent: bool = False


class Asset(Input):
    asset_version_id: Line
    asset_path: Line = ""


class Sut(Input):
    sut_id: Line | None = None
    criteria: Annotated[list[Line], Field(max_length=50)] | None = None


class ExecutionIn(Input):
    """The run to start. The fields from `generator` on are ours; the page of DAI 7 has the others."""

    execution_type: Literal["executing"] = "executing"
    model_id: Line | None = None
    agent: AgentChoice | None = None
    test_case_id: Annotated[Whole, Field(ge=1, le=LARGEST_ID)] | None = None
    script: Line | None = None
    asset: Asset | None = None
    sut: Sut | None = None
    rerun_id: Annotated[Whole, Field(ge=1, le=LARGEST_ID)] | None = None
    step_pause_time: Annotated[Whole, Field(ge=0, le=3600)] | None = None
    """Seconds between two steps."""
    generator: Generator = "exploratory"
    seed: Annotated[Whole, Field(ge=0, le=2**53)] | None = None
    """0 or none: a random one, as in DAI."""
    step_limit: Annotated[Whole, Field(ge=1, le=100_000)] = 10_000
    target_coverage: Annotated[float, Field(gt=0, le=1)] | None = None


class StartedOut(Output):
    """One id under the names that clients of the several releases read."""

    id: str
    execution_id: str
    execution_status_id: str
    task_instance_id: str
    run_id: int
    status: str


class ExecutionOut(StartedOut):
    """How far an execution is. All fields but the ids and the status are ours."""

    is_running: bool
    model_name: str
    generator: str
    seed: int
    testcase: str | None
    attempt: int
    steps: int
    coverage: float
    reason: str
    is_abort_requested: bool
    created: Timestamp
    started: Timestamp | None
    ended: Timestamp | None


def word_started(run: QueuedRun) -> StartedOut:
    return StartedOut(**_ids(run))


def word_execution(run: AnyRow) -> ExecutionOut:
    return ExecutionOut(
        **_ids(run),
        is_running=run.status == RUNNING,
        model_name=run.model_name,
        generator=run.generator,
        seed=run.seed,
        testcase=run.test_case_name,
        attempt=run.attempt,
        steps=run.steps,
        coverage=run.coverage,
        reason=run.reason,
        is_abort_requested=run.is_abort_requested,
        created=run.created_at,
        started=run.started_at,
        ended=run.ended_at,
    )


def _ids(run: QueuedRun | AnyRow) -> dict[str, Any]:
    return {
        "id": run.execution_id,
        "execution_id": run.execution_id,
        "execution_status_id": run.execution_id,
        "task_instance_id": run.execution_id,
        "run_id": run.id,
        "status": wire_status(run.status),
    }
