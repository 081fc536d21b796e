"""Whether the server is up, for anyone who asks, and how much of its licenses is used."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opendai import __version__, tables
from opendai.auth.callers import User
from opendai.database import database_clock
from opendai.parts import SessionDep
from opendai.resources.administration import licenses
from opendai.wire.inputs import Output
from opendai.wire.routing import Router


class PingOut(Output):
    status: str
    allow_log_download: bool


class StatusOut(Output):
    status: str
    version: str
    configured: bool
    has_valid_license: bool
    eula_accepted: bool


class UsageOut(Output):
    num_users: int
    num_sessions: int
    num_execs: int


router = Router(tags=["Status"])


@router.get("/ping")
async def ping() -> PingOut:
    """Answers as long as the process does, without the database."""
    return PingOut(status="OK", allow_log_download=False)


@router.get("/status")
def get_status(session: SessionDep) -> StatusOut:
    """What is served here. A server without any license needs none, so that it counts as having a valid one."""
    return StatusOut(
        status="OK",
        version=__version__,
        configured=True,  # The first start makes an administrator, and the last one cannot be removed.
        has_valid_license=licenses.has_valid_license(session),
        eula_accepted=licenses.is_eula_accepted(session),
    )


@router.get("/usage")
def get_usage(caller: User, session: SessionDep) -> UsageOut:
    """How much is used: users with a role, logins that are still good, and runs that have not finished."""
    return UsageOut(
        num_users=licenses.count_users(session),
        num_sessions=_count_logins(session),
        num_execs=licenses.count_executions(session),
    )


def _count_logins(session: Session) -> int:
    login = tables.Login
    return session.scalar(select(func.count(login.id)).where(login.expires > database_clock())) or 0
