"""Whether the server is up, and how much of it is in use."""

from pydantic import Field

from opendai import __version__
from opendai.auth.callers import User
from opendai.parts import SessionDep
from opendai.resources.administration.licenses.limits import has_valid_license, is_eula_accepted
from opendai.resources.administration.usage import read_usage
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
    users: int = Field(serialization_alias="num_users")
    logins: int = Field(serialization_alias="num_sessions")
    executions: int = Field(serialization_alias="num_execs")


router = Router(tags=["Status"])


@router.get("/ping")
async def ping() -> PingOut:
    """Answers as long as the process does, without the database."""
    return PingOut(status="OK", allow_log_download=False)


@router.get("/status")
def get_status(session: SessionDep) -> StatusOut:
    """The version of the server. A server without any license needs none and counts as having a valid one."""
    return StatusOut(
        status="OK",
        version=__version__,
        configured=True,  # The first start makes an administrator, and the last one is never removed.
        has_valid_license=has_valid_license(session),
        eula_accepted=is_eula_accepted(session),
    )


@router.get("/usage")
def get_usage(caller: User, session: SessionDep) -> UsageOut:
    """How much is in use: users with a role, logins that have not expired, and runs that have not finished."""
    return UsageOut.model_validate(read_usage(session))
