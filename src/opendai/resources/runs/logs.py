"""The log of a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Select, bindparam, func, insert, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from opendai.auth.callers import Caller, Reporter, User
from opendai.parts import repository
from opendai.resources.runs.visible import get_visible_run
from opendai.tables import RunLog
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


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a run's log."""

    id: int
    event_time: datetime
    run_id: int
    message: str
    severity: str
    step: int | None
    stage: str | None
    message_type: str | None
    image_name: str | None
    image_id: str | None


_COLUMNS = (
    RunLog.id,
    RunLog.event_time,
    RunLog.run_id,
    RunLog.message,
    RunLog.severity,
    RunLog.step,
    RunLog.stage,
    RunLog.message_type,
    RunLog.image_name,
    RunLog.image_id,
)
_INSERT: ReturningInsert[*tuple[Any, ...]] = insert(RunLog).returning(*_COLUMNS)
_IS_OF_RUN = RunLog.run_id == bindparam("run_id")
_PAGE: Select[*tuple[Any, ...]] = (
    select(*_COLUMNS)
    .where(_IS_OF_RUN)
    .order_by(RunLog.id)
    .offset(bindparam("offset"))
    .limit(bindparam("limit"))
)
_COUNT = select(func.count(RunLog.id)).where(_IS_OF_RUN)


class RunLogRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, run_id: int, given: RunLogIn, caller: Caller) -> LogLine:
        get_visible_run(self._session, run_id, caller)
        values = given.model_dump(exclude={"event_time"})
        line = {**values, "run_id": run_id, "event_time": given.event_time or now()}
        return LogLine(*self._session.execute(_INSERT, line).one())

    def search(
        self, run_id: int, caller: Caller, *, offset: int, limit: int
    ) -> tuple[Sequence[LogLine], int]:
        """A page of the log in the order in which it was written, and how many lines the log has."""
        get_visible_run(self._session, run_id, caller)
        rows = self._session.execute(_PAGE, {"run_id": run_id, "offset": offset, "limit": limit})
        total = self._session.scalar(_COUNT, {"run_id": run_id}) or 0
        return [LogLine(*row) for row in rows], total


RunLogs = Annotated[RunLogRepository, repository(RunLogRepository)]
router = Router(tags=["Run logs"])


@router.post("/runlogs/{id}")
def create_runlog(caller: Reporter, runlogs: RunLogs, id: Id, given: RunLogIn) -> RunLogOut:
    """Add a line to the log of a run."""
    return _line_out(runlogs.add(id, given, caller))


@router.get("/runlogs/{id}")
def get_runlog(caller: User, runlogs: RunLogs, id: Id, offset: Offset = 0, limit: Limit = 1000) -> RunLogsOut:
    """The log of a run, in the order in which it was written."""
    lines, total = runlogs.search(id, caller, offset=offset, limit=limit)
    return RunLogsOut(
        items=[_line_out(line) for line in lines], total_count=total, date_as_of=datetime.now(UTC)
    )


def _line_out(line: LogLine) -> RunLogOut:
    return RunLogOut(
        id=line.id,
        eventtime=line.event_time,
        testrunid=line.run_id,
        message=line.message,
        severity=line.severity,
        step_id=line.step,
        stage=line.stage,
        message_type=line.message_type,
        image_name=line.image_name,
        image_id=line.image_id,
    )
