"""The values of the columns that hold the state of a run."""

from typing import Final, Literal

QUEUED: Final = "QUEUED"
RUNNING: Final = "RUNNING"
PASSED: Final = "PASSED"
FAILED: Final = "FAILED"
ERROR: Final = "ERROR"
CANCELLED: Final = "CANCELLED"
UNFINISHED = (QUEUED, RUNNING)

INCOMPLETE: Final = "INCOMPLETE"
"""Published for QUEUED and RUNNING alike. `RunCount` and `Execution.own_status` hold published states."""

PublishedState = Literal["INCOMPLETE", "PASSED", "FAILED", "ERROR", "CANCELLED"]
