"""The log of a run."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller, Reporter, User
from opendai.errors import NotFound
from opendai.parts import repository
from opendai.resources.runs.routes import find_visible_run
from opendai.tables.columns import now
from opendai.wire.inputs import Id, Input, Limit, Line, Moment, Number, Offset, Output, Text, Timestamp
from opendai.wire.routing import Router

Severity = Annotated[Line, Field(max_length=20)]


class RunLogIn(Input):
    """A line of the log; only the message is needed."""

    message: Text
    severity: Severity = "INFORMATIONAL"
    event_time: Moment | None = Field(None, alias="eventtime")
    step: Number | None = Field(None, alias="step_id")
    stage: Line | None = None
    message_type: Line | None = None
    image_name: Line | None = None
    image_id: Line | None = None


class RunLogOut(Output):
    id: int
    eventtime: Timestamp
    testrunid: int
    message: str
    severity: str
    step_id: int | None
    stage: str | None
    message_type: str | None
    image_name: str | None
    image_id: str | None


class RunLogsOut(Output):
    items: list[RunLogOut]
    total_count: int
    date_as_of: Timestamp


class RunLogRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, run_id: int, given: RunLogIn, caller: Caller) -> RunLogOut:
        if find_visible_run(self._session, caller, run_id) is None:
            raise NotFound(f"There is no run {run_id}.")
        values = given.model_dump(exclude={"event_time"})
        line = tables.RunLog(run_id=run_id, event_time=given.event_time or now(), **values)
        self._session.add(line)
        self._session.flush()
        return RunLogOut.model_validate(
            self._session.execute(_lines().where(tables.RunLog.id == line.id)).one()
        )

    def of_run(self, run_id: int, caller: Caller, *, offset: int, limit: int) -> RunLogsOut:
        if find_visible_run(self._session, caller, run_id) is None:
            raise NotFound(f"There is no run {run_id}.")
        is_of_run = tables.RunLog.run_id == run_id
        rows = self._session.execute(
            _lines().where(is_of_run).order_by(tables.RunLog.id).offset(offset).limit(limit)
        )
        return RunLogsOut(
            items=[RunLogOut.model_validate(row) for row in rows],
            total_count=self._session.scalar(select(func.count(tables.RunLog.id)).where(is_of_run)) or 0,
            date_as_of=datetime.now(UTC),
        )


def _lines() -> Any:
    line = tables.RunLog
    return select(
        line.id,
        line.event_time.label("eventtime"),
        line.run_id.label("testrunid"),
        line.message,
        line.severity,
        line.step.label("step_id"),
        line.stage,
        line.message_type,
        line.image_name,
        line.image_id,
    )


RunLogs = Annotated[RunLogRepository, repository(RunLogRepository)]
router = Router(tags=["Run logs"])


@router.post("/runlogs/{id}")
def create_runlog(caller: Reporter, runlogs: RunLogs, id: Id, given: RunLogIn) -> RunLogOut:
    """Add a line to the log of a run."""
    return runlogs.add(id, given, caller)


@router.get("/runlogs/{id}")
def get_runlog(caller: User, runlogs: RunLogs, id: Id, offset: Offset = 0, limit: Limit = 1000) -> RunLogsOut:
    """The log of a run, in the order it was written."""
    return runlogs.of_run(id, caller, offset=offset, limit=limit)
