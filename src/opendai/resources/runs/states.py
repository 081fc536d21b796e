"""The states of a run as they are stored, and as they are published."""

from opendai.tables.states import (
    CANCELLED,
    ERROR,
    FAILED,
    INCOMPLETE,
    PASSED,
    QUEUED,
    RUNNING,
    UNFINISHED,
    PublishedState,
)

__all__ = [
    "CANCELLED",
    "ERROR",
    "FAILED",
    "INCOMPLETE",
    "PASSED",
    "QUEUED",
    "RUNNING",
    "UNFINISHED",
    "PublishedState",
    "wire_status",
]


def wire_status(status: str) -> str:
    """The published status: a run that has not finished is INCOMPLETE, whether it waits or walks."""
    return INCOMPLETE if status in UNFINISHED else status
