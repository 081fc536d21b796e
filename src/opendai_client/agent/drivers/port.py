"""The port between the agent and the drivers that perform steps on a system under test."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from opendai.engine import Model, Step
from opendai_client.agent.interruption import Interruption

Severity = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class StepInterrupted(Exception):  # noqa: N818 - a way to end a step, not a failure
    """Raised by a driver that cut a step short because of ``Run.interruption``; the step never happened."""


@dataclass(frozen=True, slots=True)
class Run:
    """The run that a driver is opened for.

    ``seed`` is the walk's own: a driver that takes chances takes them from it. ``asset`` is what the
    execution was started with. A driver waits on ``interruption``, so that it ends at once when the run does.
    """

    run_id: int
    attempt: int
    model_name: str
    model: Model
    seed: int
    asset: Mapping[str, Any] | None
    interruption: Interruption


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line for people."""

    message: str
    severity: Severity = "INFO"
    stage: str | None = None
    message_type: str | None = None


@dataclass(frozen=True, slots=True)
class Screenshot:
    """A picture (PNG, JPEG, WebP or GIF bytes) and where it was taken; all text may be empty."""

    image: bytes
    content_type: str
    name: str = ""
    state: str = ""
    action: str = ""
    script: str = ""
    suite: str = ""
    capture_type: str = ""


@dataclass(frozen=True, slots=True)
class Performed:
    """The result of a step. ``seconds`` is how long it took; ``message`` says why it failed."""

    passed: bool
    seconds: float
    message: str = ""
    logs: tuple[LogLine, ...] = ()
    screenshots: tuple[Screenshot, ...] = ()


class Driver(Protocol):
    """Performs steps on one system under test, one run at a time, always from the same thread.

    A step that does not do what it should is ``Performed(passed=False, ...)``. Any exception means that the
    driver itself is at its end: the run is then ERROR. ``close`` is called once after each ``open``, also
    after one that raised.
    """

    name: str

    def open(self, run: Run) -> None: ...

    def perform(self, step: Step) -> Performed: ...

    def close(self) -> None: ...
