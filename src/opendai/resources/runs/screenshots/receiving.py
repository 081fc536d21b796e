"""Takes a screenshot from the body of a request to its object and its row."""

import hashlib
import uuid
from datetime import UTC, datetime

import msgpack
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendai.auth.callers import Caller
from opendai.errors import Invalid, Problem
from opendai.parts import Parts
from opendai.resources.runs.screenshots.objects import fresh_key
from opendai.resources.runs.screenshots.pictures import picture_type
from opendai.resources.runs.screenshots.repository import ScreenshotRepository
from opendai.resources.runs.screenshots.schemas import ScreenshotIn
from opendai.tables import Screenshot


def receive_screenshot(parts: Parts, caller: Caller, body: bytes) -> str:
    """Store the picture in a MessagePack body, and return its artifact id."""
    given = _read(body)
    content_type = picture_type(given.image)
    artifact_id = str(given.artifact_id or uuid.uuid4())
    with parts.database.reading() as session:
        if _is_received(session, given, caller):
            return artifact_id
    # Upload before the insert: a row must never point at nothing.
    key = fresh_key(artifact_id, content_type)
    parts.store.put(key, given.image, content_type=content_type)
    try:
        with parts.database.writing() as session:
            has_other_row = _is_received(session, given, caller)
            if not has_other_row:
                row = _row(given, artifact_id=artifact_id, key=key, content_type=content_type)
                ScreenshotRepository(session).add(row)
    except IntegrityError:
        # PostgreSQL: the same screenshot arrived twice at the same moment, and the other request was first.
        has_other_row = True
    except Problem:
        # A Problem is raised before the commit, so no row points at the object. After any other error a row may
        # point at it: the object stays, and the worker deletes it if there is no row.
        parts.store.delete(key)
        raise
    if has_other_row:
        parts.store.delete(key)
    return artifact_id


def _read(body: bytes) -> ScreenshotIn:
    try:
        return ScreenshotIn.model_validate(_unpack_map(body))
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


def _is_received(session: Session, given: ScreenshotIn, caller: Caller) -> bool:
    """Whether the screenshot has a row already; raises when the caller may not add it to the run."""
    screenshots = ScreenshotRepository(session)
    screenshots.check_may_add(given.run_id, caller, attempt=given.attempt)
    return given.artifact_id is not None and screenshots.has(str(given.artifact_id), run_id=given.run_id)


def _row(given: ScreenshotIn, *, artifact_id: str, key: str, content_type: str) -> Screenshot:
    return Screenshot(
        **given.model_dump(exclude={"image", "attempt", "artifact_id", "taken_at"}),
        artifact_id=artifact_id,
        object_key=key,
        sha256=hashlib.sha256(given.image).digest(),
        size=len(given.image),
        content_type=content_type,
        taken_at=given.taken_at or datetime.now(UTC),
    )


def _unpack_map(body: bytes) -> dict[str, object]:
    """The map in a body. The limits keep a small body from becoming a large object."""
    try:
        given = msgpack.unpackb(
            body,
            raw=False,
            strict_map_key=True,
            max_str_len=65_536,
            max_bin_len=len(body),
            max_array_len=64,
            max_map_len=64,
            max_ext_len=0,
        )
    except Exception as error:
        # The unpacker raises its own errors, ValueError, TypeError, OverflowError and more.
        raise Invalid("The body is not MessagePack.") from error
    if not isinstance(given, dict) or not all(isinstance(name, str) for name in given):
        raise Invalid("The body must be a MessagePack map with text keys.")
    return given
