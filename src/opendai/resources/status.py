"""Whether the server is up, for anyone who asks."""

from fastapi import APIRouter

from opendai.resources.inputs import Output


class PingOut(Output):
    status: str
    allow_log_download: bool


router = APIRouter(tags=["Status"])


@router.get("/ping")
async def ping() -> PingOut:
    """Answers as long as the process does, without the database."""
    return PingOut(status="OK", allow_log_download=False)
