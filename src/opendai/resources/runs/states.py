"""The states of a run as they are stored, and as they are published."""

QUEUED, RUNNING = "QUEUED", "RUNNING"
PASSED, FAILED, ERROR, CANCELLED = "PASSED", "FAILED", "ERROR", "CANCELLED"
UNFINISHED = (QUEUED, RUNNING)
INCOMPLETE = "INCOMPLETE"


def wire_status(status: str) -> str:
    """The published status: a run that has not finished is INCOMPLETE, whether it waits or walks."""
    return INCOMPLETE if status in UNFINISHED else status
