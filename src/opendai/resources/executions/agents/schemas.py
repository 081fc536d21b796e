"""The bodies of the agents' protocol."""

import json
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from opendai.resources.executions.claims import Claim
from opendai.resources.executions.reporting import Attempt
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
    run = taken.run
    return ClaimOut(
        run_id=run.id,
        attempt=run.attempt,
        execution_id=run.execution_id,
        lease_seconds=lease_seconds,
        model=ModelOut(
            name=run.model_name,
            modelId=taken.model_uuid,
            hierarchyid=run.version_id,
            modeljson=taken.document,
        ),
        plan=PlanOut(
            kind=run.generator,
            seed=run.seed,
            step_limit=run.step_limit,
            target_coverage=run.target_coverage,
            test_case=run.test_case_text,
        ),
        hits=taken.hits,
        step_pause_seconds=run.step_pause_seconds,
        asset=json.loads(run.asset) if run.asset else None,
        sut=json.loads(run.sut) if run.sut else None,
    )
