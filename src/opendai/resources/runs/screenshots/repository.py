"""The rows that describe screenshots."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from opendai.auth.callers import Caller
from opendai.errors import Conflict, Fault, Invalid, NotFound
from opendai.resources.runs.states import RUNNING
from opendai.resources.runs.visible import find_visible_run, get_visible_run, sees_run
from opendai.tables import Run, Screenshot

_MOST_LISTED = 10_000


@dataclass(frozen=True, slots=True)
class ScreenshotRow:
    """The description of a picture."""

    taken_at: datetime
    artifact_id: str
    name: str
    capture_type: str
    content_type: str
    state: str
    action: str
    script: str
    suite: str


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """The key of the object that holds a picture, and the picture's content type."""

    object_key: str
    content_type: str


_OF_RUN = (
    select(
        Screenshot.taken_at,
        Screenshot.artifact_id,
        Screenshot.name,
        Screenshot.capture_type,
        Screenshot.content_type,
        Screenshot.state,
        Screenshot.action,
        Screenshot.script,
        Screenshot.suite,
    )
    .where(Screenshot.run_id == bindparam("run_id"))
    .order_by(Screenshot.id)
    .limit(_MOST_LISTED)
)
_COUNT_OF_RUN = select(func.count(Screenshot.id)).where(Screenshot.run_id == bindparam("run_id"))
_RUN_OF = select(Screenshot.run_id).where(Screenshot.artifact_id == bindparam("artifact_id"))


class ScreenshotRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def check_may_add(self, run_id: int, caller: Caller, *, attempt: int | None) -> None:
        """Raise unless the caller may add a screenshot to the run. An agent's client must hold the attempt."""
        if not caller.is_agent_client:
            get_visible_run(self._session, run_id, caller)
            return
        if attempt is None:
            raise Invalid("An agent names its attempt.", faults=[Fault("attempt", "is missing")])
        run = find_visible_run(self._session, run_id, caller)
        if run is None and self._session.get(Run, run_id) is None:
            raise NotFound(f"There is no run {run_id}.")
        if run is None or run.status != RUNNING or run.attempt != attempt:
            raise Conflict(f"Attempt {attempt} of run {run_id} is not yours or has ended.")

    def has(self, artifact_id: str, *, run_id: int) -> bool:
        """Whether the run has this screenshot already; Conflict if another run has it."""
        owner = self._session.scalar(_RUN_OF, {"artifact_id": artifact_id})
        if owner not in {None, run_id}:
            raise Conflict(f"The screenshot {artifact_id} belongs to another run.")
        return owner is not None

    def add(self, row: Screenshot) -> None:
        self._session.add(row)
        self._session.flush()

    def search(self, run_id: int, caller: Caller) -> tuple[Sequence[ScreenshotRow], int]:
        """The screenshots of a run in the order of their arrival, and how many there are."""
        get_visible_run(self._session, run_id, caller)
        rows = self._session.execute(_OF_RUN, {"run_id": run_id})
        total = self._session.scalar(_COUNT_OF_RUN, {"run_id": run_id}) or 0
        return [ScreenshotRow(*row) for row in rows], total

    def get_picture(self, artifact_id: UUID, caller: Caller) -> StoredPicture:
        row = self._session.execute(
            select(Screenshot.object_key, Screenshot.content_type)
            .join(Run, Run.id == Screenshot.run_id)
            .where(Screenshot.artifact_id == str(artifact_id), sees_run(caller))
        ).one_or_none()
        if row is None:
            raise NotFound(f"There is no screenshot {artifact_id}.")
        return StoredPicture(row.object_key, row.content_type)
