"""Walks one claimed run from its model to its ending."""

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from opendai.engine import (
    ModelError,
    Outcome,
    Plan,
    Step,
    TestCaseError,
    Walk,
    parse_model,
    start_walk,
)
from opendai_client.agent.drivers.port import Driver, Performed, Run, Screenshot, Severity, StepInterrupted
from opendai_client.agent.events import clean, log_event, now, step_event
from opendai_client.agent.interruption import Interruption
from opendai_client.agent.persistence import RunLost, Stopped, insist
from opendai_client.agent.protocol import AgentService, Claim, Ending
from opendai_client.agent.reporter import Reporter
from opendai_client.errors import ClientError

logger = logging.getLogger(__name__)

# A finish must fit into 1 MiB, also for a model of which nothing can be reached.
_MOST_UNREACHABLE = 1000


def walk_run(service: AgentService, driver: Driver, claim: Claim, stop: threading.Event) -> str:
    """The run's final status, as the server has it; RunLost, Stopped or ClientError if there is none."""
    interruption = Interruption(stop)
    with Reporter(service, claim, interruption) as reporter:
        walker = _Walker(service, driver, claim, interruption, reporter)
        try:
            ending = walker.walk()
            last = reporter.drain()
        except ClientError as refused:
            if refused.status in {401, 403}:
                raise
            # Events that the server did not accept are lost; the verdict must not depend on them.
            ending, last = _broken_off("The server refused a report", refused), reporter.accepted
        return insist(lambda: service.finish(claim, ending, last=last), wait=interruption.wait_for_stop)


class _Walker:
    def __init__(
        self,
        service: AgentService,
        driver: Driver,
        claim: Claim,
        interruption: Interruption,
        reporter: Reporter,
    ) -> None:
        self._service = service
        self._driver = driver
        self._claim = claim
        self._interruption = interruption
        self._reporter = reporter
        self._is_aborting = False
        self._performed = 0

    def walk(self) -> Ending:
        """Every way to end but RunLost, Stopped and ClientError is an ending of the run."""
        plan = self._claim.plan
        self._log(f"Walking {self._claim.model.name}: {plan.kind}, seed {plan.seed}, {self._claim}.")
        try:
            ending = self._perform_walk()
        except (RunLost, Stopped, ClientError):
            raise
        except (ModelError, TestCaseError) as error:
            faults = "".join(f" {fault.field}: {fault.problem}." for fault in error.faults)
            ending = Ending("ERROR", clean(error.message + faults))
        except Exception as error:
            # Drivers are foreign code and may raise anything.
            ending = _broken_off("The walk broke off", error)
            logger.warning("%s: %s", self._claim, ending.reason)
            logger.debug("%s broke off here.", self._claim, exc_info=error)
        severity: Severity = "INFO" if ending.status in {"PASSED", "CANCELLED"} else "ERROR"
        self._log(f"{ending.status}: {ending.reason}", severity=severity)
        return self._shortened(ending)

    def _perform_walk(self) -> Ending:
        claim = self._claim
        model = parse_model(claim.model.modeljson)
        plan = Plan(
            kind=claim.plan.kind,
            seed=claim.plan.seed,
            step_limit=claim.plan.step_limit,
            target_coverage=claim.plan.target_coverage,
            test_case=claim.plan.test_case or "",
        )
        walk = start_walk(model, plan, {(state, action): times for state, action, times in claim.hits})
        run = Run(
            run_id=claim.run_id,
            attempt=claim.attempt,
            model_name=claim.model.name,
            model=model,
            seed=plan.seed,
            asset=claim.asset,
            interruption=self._interruption,
        )
        with self._opened(run):
            self._follow(walk)
        conclusion = walk.conclusion
        if conclusion is None:
            raise RuntimeError("The walk ended without a conclusion.")
        return Ending(
            status=conclusion.status,
            reason=clean(conclusion.reason),
            failed_state=conclusion.failed_state or None,
            failed_action=conclusion.failed_action or None,
            unreachable=conclusion.unreachable,
        )

    @contextmanager
    def _opened(self, run: Run) -> Iterator[None]:
        try:
            self._driver.open(run)
            yield
        finally:
            try:
                self._driver.close()
            except Exception as error:  # noqa: BLE001 - drivers are foreign code and may raise anything
                # The results of the system under test stay true.
                logger.warning("%s: the driver did not close: %s", self._claim, error)

    def _follow(self, walk: Walk) -> None:
        while True:
            self._go_on(walk)
            step = walk.next_step()
            if step is None:
                return
            # A step that an abort gave up keeps its number in the walk, but a report may not have a gap.
            step = replace(step, order=self._performed + 1)
            if self._wants_pause() and self._interruption.wait(self._claim.step_pause_seconds):
                continue
            started_at = now()
            try:
                performed = self._driver.perform(step)
            except StepInterrupted:
                if not self._interruption.is_raised:
                    raise
                continue
            self._performed += 1
            walk.record(Outcome.PASSED if performed.passed else Outcome.FAILED)
            self._report(step, performed, started_at)

    def _go_on(self, walk: Walk) -> None:
        """Raise if the run is lost or the agent stops, and begin the cleanup once after an abort."""
        self._reporter.check()
        if self._reporter.is_aborted and not self._is_aborting:
            self._is_aborting = True
            walk.abort()
            self._interruption.lower_sign()
            self._log("The run was aborted.", severity="WARNING")

    def _wants_pause(self) -> bool:
        """The pause is between steps. The cleanup after an abort has no pauses, because a person waits for it."""
        return self._performed > 0 and not self._is_aborting

    def _report(self, step: Step, performed: Performed, started_at: str) -> None:
        self._reporter.add(step_event(step, performed, started_at=started_at))
        for line in performed.logs:
            event = log_event(
                line.message,
                severity=line.severity,
                step=step.order,
                stage=line.stage,
                message_type=line.message_type,
            )
            self._reporter.add(event)
        if not performed.passed:
            why = performed.message or f"'{step.action}' failed in '{step.state}'."
            self._log(why, severity="ERROR", step=step.order)
        for screenshot in performed.screenshots:
            self._upload(step, screenshot)

    def _upload(self, step: Step, screenshot: Screenshot) -> None:
        artifact_id, timestamp = str(uuid.uuid4()), now()
        try:
            # The picture before the line that names it: a line must never point at nothing.
            insist(
                lambda: self._service.upload(
                    self._claim, screenshot, artifact_id=artifact_id, timestamp=timestamp
                ),
                wait=self._interruption.wait_for_stop,
            )
        except ClientError as refused:
            if refused.status in {401, 403}:
                raise
            # A picture that is refused must not end the run.
            self._log(f"A screenshot was refused: {refused}", severity="WARNING", step=step.order)
            return
        event = log_event(
            f"Screenshot of {screenshot.name or screenshot.state}",
            step=step.order,
            message_type="screenshot",
            image_name=screenshot.name,
            image_id=artifact_id,
        )
        self._reporter.add(event)

    def _log(self, message: str, *, severity: Severity = "INFO", step: int | None = None) -> None:
        self._reporter.add(log_event(message, severity=severity, step=step))

    def _shortened(self, ending: Ending) -> Ending:
        count = len(ending.unreachable)
        if count <= _MOST_UNREACHABLE:
            return ending
        self._log(f"{count} states and actions are out of reach; the first {_MOST_UNREACHABLE} are listed.")
        return replace(ending, unreachable=ending.unreachable[:_MOST_UNREACHABLE])


def _broken_off(what: str, error: Exception) -> Ending:
    return Ending("ERROR", clean(f"{what}: {type(error).__name__}: {error}"))
