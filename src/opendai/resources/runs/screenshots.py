"""Screenshots: the picture is an object in the store, the row says what it shows."""

import hashlib
import uuid
from datetime import UTC, datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from pydantic import Field, StrictBytes, StrictInt, ValidationError
from sqlalchemy import ColumnElement, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller, Reporter, User
from opendai.errors import Conflict, Fault, Invalid, NotFound, Problem
from opendai.parts import Parts, PartsDep, repository
from opendai.resources.runs.pictures import ENDINGS, picture_type, unpack_map
from opendai.resources.runs.routes import find_visible_run
from opendai.resources.runs.states import RUNNING
from opendai.wire.inputs import LARGEST_ID, Id, Input, Line, Moment, Output, Text, Timestamp
from opendai.wire.routing import Router

_LARGEST_BODY = 16 << 20


class ScreenshotIn(Input):
    """The MessagePack map that `POST /ai/screenshots` takes."""

    run_id: Annotated[StrictInt, Field(ge=1, le=LARGEST_ID)]
    image: StrictBytes
    attempt: Annotated[StrictInt, Field(ge=1, le=2**31 - 1)] | None = None
    artifact_id: UUID | None = None
    name: Line = ""
    taken_at: Moment | None = Field(None, alias="timestamp")
    capture_type: Line = ""
    claimed_type: Line = Field("", alias="content_type")
    state: Line = ""
    action: Line = ""
    script: Text = ""
    suite: Text = ""


class ReceivedOut(Output):
    artifactid: str


class ScreenshotOut(Output):
    timestamp: Timestamp
    artifactid: str
    name: str
    capture_type: str
    content_type: str
    state: str
    action: str
    script: str
    suite: str


class ScreenshotsOut(Output):
    items: list[ScreenshotOut]
    total_count: int
    date_as_of: Timestamp


class ScreenshotRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find_received(self, given: ScreenshotIn, caller: Caller) -> bool:
        """Whether this screenshot is here already; raises when the caller may not add it to the run."""
        _check_may_add(self._session, given, caller)
        if given.artifact_id is None:
            return False
        row = tables.Screenshot
        run_id = self._session.scalar(select(row.run_id).where(row.artifact_id == str(given.artifact_id)))
        if run_id not in {None, given.run_id}:
            raise Conflict(f"The screenshot {given.artifact_id} belongs to another run.")
        return run_id is not None

    def add(self, given: ScreenshotIn, artifact_id: str, key: str, content_type: str) -> None:
        values = given.model_dump(exclude={"image", "attempt", "artifact_id", "taken_at"})
        self._session.add(
            tables.Screenshot(
                **values,
                artifact_id=artifact_id,
                object_key=key,
                sha256=hashlib.sha256(given.image).digest(),
                size=len(given.image),
                content_type=content_type,
                taken_at=given.taken_at or datetime.now(UTC),
            )
        )
        self._session.flush()

    def of_run(self, run_id: int, caller: Caller) -> ScreenshotsOut:
        if find_visible_run(self._session, caller, run_id) is None:
            raise NotFound(f"There is no run {run_id}.")
        row = tables.Screenshot
        rows = self._session.execute(
            select(
                row.taken_at.label("timestamp"),
                row.artifact_id.label("artifactid"),
                row.name,
                row.capture_type,
                row.content_type,
                row.state,
                row.action,
                row.script,
                row.suite,
            )
            .where(row.run_id == run_id)
            .order_by(row.id)
            .limit(10_000)
        ).all()
        return ScreenshotsOut(
            items=[ScreenshotOut.model_validate(row) for row in rows],
            total_count=self._session.scalar(select(func.count(row.id)).where(row.run_id == run_id)) or 0,
            date_as_of=datetime.now(UTC),
        )

    def place(self, artifact_id: UUID, caller: Caller) -> tuple[str, str]:
        """The key and the content type of a screenshot."""
        row = self._session.execute(
            select(tables.Screenshot.object_key, tables.Screenshot.content_type)
            .join(tables.Run, tables.Run.id == tables.Screenshot.run_id)
            .where(tables.Screenshot.artifact_id == str(artifact_id), caller.sees(tables.Run.group_id))
        ).one_or_none()
        if row is None:
            raise NotFound(f"There is no screenshot {artifact_id}.")
        return row.object_key, row.content_type


def doom_objects(session: Session, of_runs: ColumnElement[bool]) -> None:
    """Write down the objects of runs that are about to be deleted; the worker deletes them after the commit."""
    shot, doomed = tables.Screenshot, tables.DoomedObject
    keys = select(shot.object_key, shot.created_at).join(tables.Run).where(of_runs)
    session.execute(insert(doomed).from_select(["object_key", "created_at"], keys))


def _check_may_add(session: Session, given: ScreenshotIn, caller: Caller) -> None:
    run = find_visible_run(session, caller, given.run_id)
    if caller.is_agent_client:
        if given.attempt is None:
            raise Invalid("An agent names its attempt.", faults=[Fault("attempt", "is missing")])
        if session.get(tables.Run, given.run_id) is None:
            raise NotFound(f"There is no run {given.run_id}.")
        if run is None or run.status != RUNNING or run.attempt != given.attempt:
            raise Conflict(f"Attempt {given.attempt} of run {given.run_id} is not yours or has ended.")
    elif run is None:
        raise NotFound(f"There is no run {given.run_id}.")


def _read(body: bytes) -> tuple[ScreenshotIn, str]:
    try:
        given = ScreenshotIn.model_validate(unpack_map(body))
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error
    return given, picture_type(given.image)


Screenshots = Annotated[ScreenshotRepository, repository(ScreenshotRepository)]
router = Router(tags=["Screenshots"])
_BODY = {
    "requestBody": {
        "required": True,
        "description": "A MessagePack map; docs/agents.md lists its keys.",
        "content": {"application/msgpack": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "/screenshots",
    status_code=202,
    openapi_extra=_BODY,
    max_body_size=_LARGEST_BODY,
    responses={
        404: {"description": "There is no such run."},
        409: {"description": "The attempt has ended, or the screenshot belongs to another run."},
    },
)
async def create_screenshot(caller: Reporter, parts: PartsDep, request: Request) -> ReceivedOut:
    """Add a picture to a run. The same `artifact_id` again is the same screenshot."""
    # In one trip to a thread of the store, which may hang: no other request waits for these threads.
    return await parts.store_threads.run(partial(_receive, parts, caller, await request.body()))


def _receive(parts: Parts, caller: Caller, body: bytes) -> ReceivedOut:
    given, content_type = _read(body)
    artifact_id = str(given.artifact_id or uuid.uuid4())
    with parts.database.reading() as session:
        if ScreenshotRepository(session).find_received(given, caller):
            return ReceivedOut(artifactid=artifact_id)
    # The object first, under a fresh key: a row must never point at nothing, nor an object be overwritten.
    key = f"screenshots/{artifact_id[:2]}/{uuid.uuid4()}.{ENDINGS[content_type]}"
    parts.store.put(key, given.image, content_type=content_type)
    try:
        with parts.database.writing() as session:
            screenshots = ScreenshotRepository(session)
            is_received = screenshots.find_received(given, caller)
            if not is_received:
                screenshots.add(given, artifact_id, key, content_type)
    except IntegrityError:
        # PostgreSQL: the same screenshot came in twice at the same moment and the other one was first.
        is_received = True
    except Problem:
        # Only where the row is known not to be there. After a commit whose fate is unknown the object stays,
        # and the worker sweeps it if no row points at it.
        parts.store.delete(key)
        raise
    if is_received:
        parts.store.delete(key)
    return ReceivedOut(artifactid=artifact_id)


@router.get("/runs/{id}/screenshots")
def list_screenshots(caller: User, screenshots: Screenshots, id: Id) -> ScreenshotsOut:
    """What is known of a run's screenshots, in the order they came."""
    return screenshots.of_run(id, caller)


@router.get("/screenshots/{artifact_id}", status_code=303, response_class=RedirectResponse)
def get_screenshot(caller: User, screenshots: Screenshots, parts: PartsDep, artifact_id: UUID) -> Response:
    """Redirect to a short-lived address that serves the picture."""
    return _redirect(parts, *screenshots.place(artifact_id, caller), download_as=None)


@router.get("/screenshots/{artifact_id}/download", status_code=303, response_class=RedirectResponse)
def download_screenshot(
    caller: User, screenshots: Screenshots, parts: PartsDep, artifact_id: UUID
) -> Response:
    """Redirect to a short-lived address that serves the picture as a file to save."""
    key, content_type = screenshots.place(artifact_id, caller)
    return _redirect(
        parts, key, content_type, download_as=f"screenshot-{artifact_id}.{ENDINGS[content_type]}"
    )


def _redirect(parts: Parts, key: str, content_type: str, *, download_as: str | None) -> Response:
    url = parts.store.presigned_url(
        key, expires_in=parts.settings.file_url_seconds, content_type=content_type, download_as=download_as
    )
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(url, 303, headers=headers)
