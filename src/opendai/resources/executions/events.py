"""The bodies of a walk's reports: events in batches, and the end."""

from typing import Annotated, Literal

from pydantic import Field

from opendai.wire.inputs import Input, Line, Moment, Number, Text

MOST_EVENTS = 500

Attempt = Annotated[Number, Field(ge=1)]


class StepEvent(Input):
    """One action that was performed."""

    type: Literal["step"]
    order: Attempt
    state: Line
    action: Line
    target: Line = ""
    phase: Literal["walk", "exception", "cleanup"] = "walk"
    passed: bool
    seconds: Annotated[float, Field(ge=0, le=10**9)] = 0.0
    started_at: Moment | None = None
    message: Text | None = None


class LogEvent(Input):
    """A line for people."""

    type: Literal["log"]
    message: Text
    severity: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    time: Moment | None = None
    step: Number | None = None
    stage: Line | None = None
    message_type: Line | None = None
    image_name: Line | None = None
    image_id: Line | None = None


Event = Annotated[StepEvent | LogEvent, Field(discriminator="type")]


class EventsIn(Input):
    attempt: Attempt
    first: Attempt
    events: Annotated[list[Event], Field(max_length=MOST_EVENTS)]


class FinishIn(Input):
    attempt: Attempt
    last: Number
    status: Literal["PASSED", "FAILED", "ERROR", "CANCELLED"]
    reason: Text = ""
    failed_state: Line | None = None
    failed_action: Line | None = None
    unreachable: Annotated[list[Line], Field(max_length=10_000)] = []
