"""The events of a run, in the shapes of the agent protocol."""

import re
from datetime import UTC, datetime

from opendai.engine import Step
from opendai_client.agent.drivers.port import Performed, Severity

_LONGEST_TEXT = 4000
# Control characters except tab and line ends, and halves of surrogate pairs.
_UNACCEPTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


def now() -> str:
    """This moment, as ISO 8601 with an offset."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def clean(text: str) -> str:
    """The text without characters that databases and JSON refuse, shortened to the limit.

    Messages come from drivers and so from any program; one of them must not make a report unacceptable.
    """
    if len(text) > _LONGEST_TEXT:
        text = f"{text[:_LONGEST_TEXT]} … ({len(text)} characters)"
    return _UNACCEPTABLE.sub("\ufffd", text)


def step_event(step: Step, performed: Performed, *, started_at: str) -> dict[str, object]:
    event: dict[str, object] = {
        "type": "step",
        "order": step.order,
        "state": step.state,
        "action": step.action,
        "target": step.target,
        "phase": str(step.phase),
        "passed": performed.passed,
        "seconds": performed.seconds,
        "started_at": started_at,
    }
    if performed.message:
        event["message"] = clean(performed.message)
    return event


def log_event(
    message: str,
    *,
    severity: Severity = "INFO",
    step: int | None = None,
    stage: str | None = None,
    message_type: str | None = None,
    image_name: str | None = None,
    image_id: str | None = None,
) -> dict[str, object]:
    fields = {
        "step": step,
        "stage": stage,
        "message_type": message_type,
        "image_name": image_name,
        "image_id": image_id,
    }
    event: dict[str, object] = {"type": "log", "message": clean(message), "severity": severity, "time": now()}
    event.update({name: value for name, value in fields.items() if value is not None})
    return event
