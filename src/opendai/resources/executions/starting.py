"""Starting an execution: from what a client asks for to a queued run."""

import json
import random
import uuid
from collections import Counter
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller
from opendai.engine import CHOSEN_BY_NAME, check_goals, parse_model, parse_test_case
from opendai.errors import Fault, Invalid
from opendai.resources.administration.licenses.limits import check_executions
from opendai.resources.executions.counting import count_runs, kind_of
from opendai.resources.runs.states import QUEUED
from opendai.wire.inputs import LARGEST_ID, Input, Line, Whole

_LARGEST_SEED = 999_999


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


def queue_run(session: Session, given: ExecutionIn, caller: Caller) -> tables.Run:
    """Queue the run and return it; Invalid names the field that is not allowed.

    PaymentRequired if the licenses do not allow one more run at a time.
    """
    run = _repeated(session, given, caller) if given.rerun_id is not None else _fresh(session, given, caller)
    check_executions(session)
    execution = tables.Execution(
        id=str(uuid.uuid4()), started_by=caller.name, model_id=run.model_id, group_id=run.group_id
    )
    session.add(execution)
    session.flush()
    run.execution_id = execution.id
    run.status = QUEUED
    run.walker, run.wanted_agent_id = _walker(session, given.agent)
    session.add(run)
    session.flush()
    count_runs(session, Counter([kind_of(run)]))
    return run


def _fresh(session: Session, given: ExecutionIn, caller: Caller) -> tables.Run:
    if given.script is not None and given.model_id is None:
        raise _refused("script", "script-based runs are not offered by this server; name a model_id")
    if given.model_id is None:
        raise _refused("model_id", "is missing; one of model_id and rerun_id is needed")
    model, version = _model(session, given.model_id, caller)
    case = _test_case(session, given.test_case_id, model, version)
    return tables.Run(
        model_id=model.id,
        version_id=version.id,
        group_id=model.group_id,
        model_name=model.name,
        generator="directed" if case else given.generator,
        seed=given.seed or random.randint(1, _LARGEST_SEED),  # noqa: S311 - a walk's seed is no secret
        step_limit=given.step_limit,
        target_coverage=given.target_coverage,
        test_case_id=case.id if case else None,
        test_case_name=case.name if case else None,
        test_case_text=case.text if case else None,
        step_pause_seconds=float(given.step_pause_time or 0),
        asset=_json(given.asset),
        sut=_json(given.sut),
    )


def _repeated(session: Session, given: ExecutionIn, caller: Caller) -> tables.Run:
    """A run that walks as an earlier one did: same version, seed and starting knowledge."""
    model = tables.Model
    found = session.execute(
        select(tables.Run, model.group_id)
        .join(model, model.id == tables.Run.model_id)
        .where(tables.Run.id == given.rerun_id, caller.sees(model.group_id))
        .with_for_update(read=True, of=model)
    ).one_or_none()
    if found is None:
        raise _refused("rerun_id", f"there is no run {given.rerun_id}")
    earlier, group_id = found
    copied = [
        "model_id",
        "version_id",
        "model_name",
        "generator",
        "seed",
        "step_limit",
        "target_coverage",
        "test_case_id",
        "test_case_name",
        "test_case_text",
        "config_step",
        "step_pause_seconds",
        "asset",
        "sut",
        "hits",
    ]
    return tables.Run(group_id=group_id, **{column: getattr(earlier, column) for column in copied})


def _model(session: Session, model_uuid: str, caller: Caller) -> tuple[tables.Model, tables.ModelVersion]:
    model, version = tables.Model, tables.ModelVersion
    row = session.execute(
        select(model, version)
        .join(version, (version.model_id == model.id) & (version.number == model.version_number))
        .where(model.uuid == model_uuid.lower(), caller.sees(model.group_id))
        # The run is counted in the model's group: it must not go to another one in the meantime.
        .with_for_update(read=True, of=model)
    ).one_or_none()
    if row is None:
        raise _refused("model_id", "is not the modeluuid of a model")
    return row[0], row[1]


def _test_case(
    session: Session, case_id: int | None, model: tables.Model, version: tables.ModelVersion
) -> tables.TestCase | None:
    if case_id is None:
        return None
    case = session.scalar(
        select(tables.TestCase).where(tables.TestCase.id == case_id, tables.TestCase.model_id == model.id)
    )
    if case is None:
        raise _refused("test_case_id", f"there is no test case {case_id} of this model")
    check_goals(parse_model(version.document), parse_test_case(case.text))
    return case


def _walker(session: Session, choice: AgentChoice | None) -> tuple[str, int | None]:
    if choice is None:
        return "server", None
    if choice.agent_id == "any":
        return "agent", None
    number = choice.agent_id
    agent = None
    if number.isascii() and number.isdigit() and len(number) < 19:
        agent = session.get(tables.Agent, int(number))
    if agent is None:
        raise _refused("agent.agent_id", "is not the id of an agent")
    return "agent", agent.id


def _json(given: Input | None) -> str | None:
    return None if given is None else json.dumps(given.model_dump(exclude_none=True))


def _refused(field: str, problem: str) -> Invalid:
    return Invalid(f"{field}: {problem}", faults=[Fault(field, problem)])
