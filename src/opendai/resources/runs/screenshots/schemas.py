"""Screenshots as `/ai` words them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictBytes, StrictInt

from opendai.resources.runs.screenshots.repository import ScreenshotRow
from opendai.wire.inputs import LARGEST_ID, Input, Line, Moment, Output, Text, Timestamp


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


def screenshots_out(rows: Iterable[ScreenshotRow], total: int) -> ScreenshotsOut:
    return ScreenshotsOut(
        items=[_screenshot_out(row) for row in rows], total_count=total, date_as_of=datetime.now(UTC)
    )


def _screenshot_out(row: ScreenshotRow) -> ScreenshotOut:
    return ScreenshotOut(
        timestamp=row.taken_at,
        artifactid=row.artifact_id,
        name=row.name,
        capture_type=row.capture_type,
        content_type=row.content_type,
        state=row.state,
        action=row.action,
        script=row.script,
        suite=row.suite,
    )
