"""Errors of executions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opendai.auth.callers import Caller, User
from opendai.parts import repository
from opendai.tables import ErrorEntry
from opendai.wire.inputs import Limit, Offset, Output, RowNumber, Search, Timestamp
from opendai.wire.routing import Router


class ErrorOut(Output):
    id: int
    created: Timestamp
    task_instance_id: str
    sender: str
    severity: str
    message: str
    error_time: Timestamp


class ErrorsOut(Output):
    items: list[ErrorOut]
    total_count: int
    date_as_of: Timestamp


@dataclass(frozen=True, slots=True)
class ErrorRow:
    id: int
    created_at: datetime
    execution_id: str
    sender: str
    severity: str
    message: str
    error_time: datetime


_ERRORS = select(
    ErrorEntry.id,
    ErrorEntry.created_at,
    ErrorEntry.execution_id,
    ErrorEntry.sender,
    ErrorEntry.severity,
    ErrorEntry.message,
    ErrorEntry.error_time,
).order_by(ErrorEntry.id)


class ErrorRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def search(
        self, caller: Caller, *, error_id: int | None, execution_id: str | None, offset: int, limit: int
    ) -> tuple[Sequence[ErrorRow], int]:
        """A page of the errors that match, and how many match; None does not restrict."""
        conditions = [caller.sees(ErrorEntry.group_id)]
        if error_id is not None:
            conditions.append(ErrorEntry.id == error_id)
        if execution_id is not None:
            conditions.append(ErrorEntry.execution_id == execution_id)
        rows = self._session.execute(_ERRORS.where(*conditions).offset(offset).limit(limit))
        total = self._session.scalar(select(func.count(ErrorEntry.id)).where(*conditions)) or 0
        return [ErrorRow(*row) for row in rows], total


Errors = Annotated[ErrorRepository, repository(ErrorRepository)]
router = Router(tags=["Errors"])


@router.get("/errors")
def list_errors(
    caller: User,
    errors: Errors,
    id: RowNumber | None = None,
    task_instance_id: Search | None = None,
    offset: Offset = 0,
    limit: Limit = 1000,
) -> ErrorsOut:
    """The errors of the executions of the caller's groups, by id. A filter without a value does not restrict."""
    execution_id = task_instance_id.lower() if task_instance_id else None
    rows, total = errors.search(caller, error_id=id, execution_id=execution_id, offset=offset, limit=limit)
    return ErrorsOut(items=[_error_out(row) for row in rows], total_count=total, date_as_of=datetime.now(UTC))


def _error_out(row: ErrorRow) -> ErrorOut:
    return ErrorOut(
        id=row.id,
        created=row.created_at,
        task_instance_id=row.execution_id,
        sender=row.sender,
        severity=row.severity,
        message=row.message,
        error_time=row.error_time,
    )
