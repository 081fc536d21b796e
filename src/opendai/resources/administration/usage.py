"""How much of an installation is in use."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.database import database_clock
from opendai.resources.runs.states import UNFINISHED


@dataclass(frozen=True, slots=True)
class Usage:
    users: int
    logins: int
    executions: int


def read_usage(session: Session) -> Usage:
    return Usage(
        users=count_users(session), logins=_count_logins(session), executions=count_executions(session)
    )


def count_users(session: Session) -> int:
    """The users who have a role. A user without one is refused everywhere."""
    return session.scalar(select(func.count(tables.User.id)).where(tables.User.role != "None")) or 0


def count_executions(session: Session) -> int:
    """The runs that have not finished."""
    return session.scalar(select(func.count(tables.Run.id)).where(tables.Run.status.in_(UNFINISHED))) or 0


def _count_logins(session: Session) -> int:
    login = tables.Login
    return session.scalar(select(func.count(login.id)).where(login.expires > database_clock())) or 0
