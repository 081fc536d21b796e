"""Leases: a row of work is claimed for a time, and every later change of it names the attempt that was claimed."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Update, bindparam, select, update

from opendai.database import Table, database_clock
from opendai.tables.states import QUEUED, RUNNING


@dataclass(frozen=True, slots=True)
class Lease:
    """How the rows of one table are claimed, held and given back.

    The table has the columns `id`, `status`, `attempt`, which counts the claims, and one that holds the end of the
    lease. Each method builds one conditional UPDATE, to be built once and extended by `returning`. No row comes back if
    the condition does not hold any more. The clock of the database judges every lease.
    """

    table: type[Table]
    ends: str = "lease_ends"

    @property
    def fence(self) -> ColumnElement[bool]:
        """The condition for the row `row_id` if its attempt is still `row_attempt`: two parameters."""
        columns = self.table.__table__.c
        is_attempt: ColumnElement[bool] = columns.attempt == bindparam("row_attempt")
        return (columns.id == bindparam("row_id")) & is_attempt

    @property
    def has_ended(self) -> ColumnElement[bool]:
        """The condition for a claimed row whose lease has ended."""
        columns = self.table.__table__.c
        is_over: ColumnElement[bool] = columns[self.ends] < database_clock()
        return (columns.status == RUNNING) & is_over

    def claim(self, is_waiting: ColumnElement[bool], **changes: Any) -> Update:
        """Claim the oldest row that waits, under its next attempt, for `lease_seconds`."""
        columns = self.table.__table__.c
        # Claims at the same moment take different rows on PostgreSQL, and none waits for another.
        oldest = (
            select(columns.id)
            .where(is_waiting)
            .order_by(columns.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        return (
            update(self.table)
            .where(columns.id == oldest.scalar_subquery(), is_waiting)
            .values({"status": RUNNING, "attempt": columns.attempt + 1, self.ends: _later("lease_seconds")})
            .values(**changes)
        )

    def renew(self, is_meant: ColumnElement[bool], **changes: Any) -> Update:
        """Begin the lease of a claimed row anew, for `lease_seconds`. No seconds end it at once."""
        return self.change(is_meant, **{self.ends: _later("lease_seconds")}, **changes)

    def give_back(self, is_meant: ColumnElement[bool], **changes: Any) -> Update:
        """Let a claimed row wait again. A claim can take it after `pause_seconds` if the claim reads its lease."""
        return self.change(is_meant, status=QUEUED, **{self.ends: _later("pause_seconds")}, **changes)

    def change(self, is_meant: ColumnElement[bool], **changes: Any) -> Update:
        """Change a claimed row, for example to its final status."""
        columns = self.table.__table__.c
        return update(self.table).where(is_meant, columns.status == RUNNING).values(**changes)


def _later(seconds: str) -> ColumnElement[float]:
    return database_clock() + bindparam(seconds)
