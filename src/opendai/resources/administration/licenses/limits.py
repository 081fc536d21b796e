"""The limits that the licenses set, checked by everything that adds a user or starts an execution."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.errors import PaymentRequired
from opendai.resources.administration.licenses.repository import state_of
from opendai.resources.administration.usage import count_executions, count_users


def check_users(session: Session) -> None:
    """Raise PaymentRequired if the licenses do not allow one more user with a role."""
    limit = _limit(_locked(session), "users")
    if limit is not None and count_users(session) >= limit:
        raise PaymentRequired(f"The licenses are used up (users: {limit}).")


def check_executions(session: Session) -> None:
    """Raise PaymentRequired if the licenses do not allow one more run at a time."""
    limit = _limit(_locked(session), "executions")
    if limit is not None and count_executions(session) >= limit:
        raise PaymentRequired(f"The licenses are used up (executions at a time: {limit}).")


def has_valid_license(session: Session) -> bool:
    """Whether a license is in force. An installation without a license needs none."""
    licenses = session.scalars(select(tables.License)).all()
    return not licenses or any(state_of(row) == "valid" for row in licenses)


def is_eula_accepted(session: Session) -> bool:
    refused = select(tables.License.serial_number).where(tables.License.is_eula_accepted.is_(False)).limit(1)
    return session.scalar(refused) is None


def _locked(session: Session) -> Sequence[tables.License]:
    # The lock serializes the transactions that take a place: each counts the places that the one before has taken.
    query = select(tables.License).order_by(tables.License.serial_number).with_for_update()
    return session.scalars(query).all()


def _limit(licenses: Sequence[tables.License], column: str) -> int | None:
    valid = [row for row in licenses if state_of(row) == "valid"]
    if licenses and not valid:
        return 0
    if all(getattr(row, column) is None for row in licenses):
        return None
    return sum(getattr(row, column) or 0 for row in valid)
