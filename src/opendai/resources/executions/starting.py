"""Starting an execution: from what a client asks for to a queued run."""

import json
import random
import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller
from opendai.database import AnyRow
from opendai.engine import check_goals, parse_model, parse_test_case
from opendai.errors import Fault, Invalid
from opendai.resources.administration.licenses.limits import check_executions
from opendai.resources.executions.counting import Kind, count_runs
from opendai.resources.executions.rows import QueuedRun
from opendai.resources.executions.schemas import AgentChoice, ExecutionIn
from opendai.resources.runs.states import QUEUED, wire_status
from opendai.wire.inputs import Input

_LARGEST_SEED = 999_999

_model, _version, _case, _run = tables.Model, tables.ModelVersion, tables.TestCase, tables.Run
_NEWEST = (
    select(_model.id, _model.group_id, _model.name, _version.id.label("version_id"))
    .join(_version, (_version.model_id == _model.id) & (_version.number == _model.version_number))
    .where(_model.uuid == bindparam("uuid"))
    # The run is counted in the model's group: the model must not move to another group in the meantime.
    .with_for_update(read=True, of=_model)
)
_DOCUMENT = select(_version.document).where(_version.id == bindparam("version"))
_CASE = select(_case.id, _case.name, _case.text).where(
    _case.id == bindparam("case"), _case.model_id == bindparam("model")
)
# Columns of a run that another run has to share in order to walk the same way.
_REPEATED = (
    _run.model_id,
    _run.version_id,
    _run.model_name,
    _run.generator,
    _run.seed,
    _run.step_limit,
    _run.target_coverage,
    _run.test_case_id,
    _run.test_case_name,
    _run.test_case_text,
    _run.config_step,
    _run.step_pause_seconds,
    _run.asset,
    _run.sut,
    _run.hits,
)
_EARLIER = (
    select(_model.group_id, *_REPEATED)
    .join(_model, _model.id == _run.model_id)
    .where(_run.id == bindparam("run"))
    .with_for_update(read=True, of=_model)
)
_AGENT = select(tables.Agent.id).where(tables.Agent.id == bindparam("agent"))
_EXECUTE = insert(tables.Execution)
_QUEUE = insert(_run).returning(_run.id)


def queue_run(session: Session, given: ExecutionIn, caller: Caller) -> QueuedRun:
    """Queue the run and return it; Invalid names the field that is not allowed.

    PaymentRequired if the licenses do not allow one more run at a time.
    """
    connection = session.connection()
    plan = _repeated if given.rerun_id is not None else _fresh
    values = plan(connection, given, caller)
    walker, wanted_agent_id = _walker(connection, given.agent)
    check_executions(session)
    execution_id = str(uuid.uuid4())
    connection.execute(
        _EXECUTE,
        {
            "id": execution_id,
            "started_by": caller.name,
            "model_id": values["model_id"],
            "group_id": values["group_id"],
        },
    )
    values |= {
        "execution_id": execution_id,
        "status": QUEUED,
        "walker": walker,
        "wanted_agent_id": wanted_agent_id,
    }
    run_id = connection.execute(_QUEUE, values).scalar_one()
    count_runs(connection, Counter([_kind(values)]))
    return QueuedRun(run_id, execution_id, QUEUED)


def _fresh(connection: Connection, given: ExecutionIn, caller: Caller) -> dict[str, Any]:
    if given.script is not None and given.model_id is None:
        raise _refused("script", "script-based runs are not offered by this server; name a model_id")
    if given.model_id is None:
        raise _refused("model_id", "is missing; one of model_id and rerun_id is needed")
    model = connection.execute(_NEWEST, {"uuid": given.model_id.lower()}).one_or_none()
    if model is None or not caller.is_in(model.group_id):
        raise _refused("model_id", "is not the modeluuid of a model")
    case = _test_case(connection, given.test_case_id, model)
    return {
        "model_id": model.id,
        "version_id": model.version_id,
        "group_id": model.group_id,
        "model_name": model.name,
        "generator": "directed" if case else given.generator,
        "seed": given.seed or random.randint(1, _LARGEST_SEED),  # noqa: S311 - a walk's seed is no secret
        "step_limit": given.step_limit,
        "target_coverage": given.target_coverage,
        "test_case_id": case.id if case else None,
        "test_case_name": case.name if case else None,
        "test_case_text": case.text if case else None,
        "step_pause_seconds": float(given.step_pause_time or 0),
        "asset": _json(given.asset),
        "sut": _json(given.sut),
    }


def _repeated(connection: Connection, given: ExecutionIn, caller: Caller) -> dict[str, Any]:
    """A run that walks as an earlier one did: same version, seed and starting knowledge."""
    earlier = connection.execute(_EARLIER, {"run": given.rerun_id}).one_or_none()
    if earlier is None or not caller.is_in(earlier.group_id):
        raise _refused("rerun_id", f"there is no run {given.rerun_id}")
    return earlier._asdict()


def _test_case(connection: Connection, case_id: int | None, model: AnyRow) -> AnyRow | None:
    if case_id is None:
        return None
    case = connection.execute(_CASE, {"case": case_id, "model": model.id}).one_or_none()
    if case is None:
        raise _refused("test_case_id", f"there is no test case {case_id} of this model")
    document = connection.execute(_DOCUMENT, {"version": model.version_id}).scalar_one()
    check_goals(parse_model(document), parse_test_case(case.text))
    return case


def _walker(connection: Connection, choice: AgentChoice | None) -> tuple[str, int | None]:
    if choice is None:
        return "server", None
    if choice.agent_id == "any":
        return "agent", None
    number = choice.agent_id
    is_number = number.isascii() and number.isdigit() and len(number) < 19
    if not is_number or connection.scalar(_AGENT, {"agent": int(number)}) is None:
        raise _refused("agent.agent_id", "is not the id of an agent")
    return "agent", int(number)


def _kind(values: Mapping[str, Any]) -> Kind:
    """The kind of run that is counted, before the run has a row."""
    config_step = values.get("config_step")
    return Kind(
        values["group_id"],
        values["model_id"],
        values["model_name"],
        values["test_case_name"] or "",
        -1 if config_step is None else config_step,
        wire_status(QUEUED),
    )


def _json(given: Input | None) -> str | None:
    return None if given is None else json.dumps(given.model_dump(exclude_none=True))


def _refused(field: str, problem: str) -> Invalid:
    return Invalid(f"{field}: {problem}", faults=[Fault(field, problem)])
