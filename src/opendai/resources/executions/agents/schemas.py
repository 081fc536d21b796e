"""The bodies of the agents' protocol."""

import json
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from opendai.resources.executions.claims import Claim
from opendai.resources.executions.events import Attempt
from opendai.resources.executions.reporting import Progress
from opendai.wire.inputs import Input, Line, Output


class RegistrationIn(Input):
    version: Line = ""
    drivers: Annotated[list[Line], Field(max_length=50)] = []


class RegistrationOut(Output):
    agent_id: int
    name: str
    lease_seconds: int


class ClaimIn(Input):
    wait_seconds: Annotated[float, Field(ge=0, le=30)] = 20.0
    claim_key: UUID | None = None


class HeartbeatIn(Input):
    attempt: Attempt


class HeldOut(Output):
    last: int
    abort: bool
    lease_seconds: int


class FinishedOut(Output):
    status: str


class ModelOut(Output):
    name: str
    modelId: str  # noqa: N815 - as the published test cases spell it
    hierarchyid: int
    modeljson: str


class PlanOut(Output):
    kind: str
    seed: int
    step_limit: int
    target_coverage: float | None
    test_case: str | None


class ClaimOut(Output):
    run_id: int
    attempt: int
    execution_id: str
    lease_seconds: int
    model: ModelOut
    plan: PlanOut
    hits: list[tuple[str, str, int]]
    step_pause_seconds: float
    asset: dict[str, Any] | None
    sut: dict[str, Any] | None


def word_claim(taken: Claim, *, lease_seconds: int) -> ClaimOut:
    return ClaimOut(
        run_id=taken.run_id,
        attempt=taken.attempt,
        execution_id=taken.execution_id,
        lease_seconds=lease_seconds,
        model=ModelOut(
            name=taken.model_name,
            modelId=taken.model_uuid,
            hierarchyid=taken.version_id,
            modeljson=taken.document,
        ),
        plan=PlanOut(
            kind=taken.generator,
            seed=taken.seed,
            step_limit=taken.step_limit,
            target_coverage=taken.target_coverage,
            test_case=taken.test_case_text,
        ),
        hits=taken.hits,
        step_pause_seconds=taken.step_pause_seconds,
        asset=json.loads(taken.asset) if taken.asset else None,
        sut=json.loads(taken.sut) if taken.sut else None,
    )


def word_progress(progress: Progress, *, lease_seconds: int) -> HeldOut:
    return HeldOut(last=progress.last_event, abort=progress.is_abort_requested, lease_seconds=lease_seconds)
