"""What went wrong with executions."""

from datetime import UTC, datetime
from typing import Annotated

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller, User
from opendai.parts import repository
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


class ErrorRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def search(
        self, caller: Caller, *, error_id: int | None, execution_id: str | None, offset: int, limit: int
    ) -> ErrorsOut:
        error = tables.ErrorEntry
        conditions = [caller.sees(error.group_id)]
        if error_id is not None:
            conditions.append(error.id == error_id)
        if execution_id is not None:
            conditions.append(error.execution_id == execution_id)
        rows = self._session.execute(
            select(
                error.id,
                error.created_at.label("created"),
                error.execution_id.label("task_instance_id"),
                error.sender,
                error.severity,
                error.message,
                error.error_time,
            )
            .where(*conditions)
            .order_by(error.id)
            .offset(offset)
            .limit(limit)
        )
        return ErrorsOut(
            items=[ErrorOut.model_validate(row) for row in rows],
            total_count=self._session.scalar(select(func.count(error.id)).where(*conditions)) or 0,
            date_as_of=datetime.now(UTC),
        )


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
    """What went wrong with the executions of the caller's groups, by id. A filter without a value does not restrict."""
    execution_id = task_instance_id.lower() if task_instance_id else None
    return errors.search(caller, error_id=id, execution_id=execution_id, offset=offset, limit=limit)
