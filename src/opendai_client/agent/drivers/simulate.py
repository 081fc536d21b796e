"""A driver without a system under test: plausible durations, failures by rule, a picture of each state."""

import logging
import random

from opendai.engine import Step
from opendai_client.agent.drivers.failures import FailureRule, Failures
from opendai_client.agent.drivers.pictures import draw_state
from opendai_client.agent.drivers.port import LogLine, Performed, Run, Screenshot, StepInterrupted

logger = logging.getLogger(__name__)


class SimulateDriver:
    """Simulates. The same seed and the same steps give the same outcomes, durations and pictures.

    With ``realtime`` a step takes as long as it reports; otherwise it takes no time.
    """

    name = "simulate"

    def __init__(self, *, failures: tuple[FailureRule, ...] = (), realtime: bool = False) -> None:
        self._rules = failures
        self._realtime = realtime
        self._simulation: _Simulation | None = None

    def open(self, run: Run) -> None:
        self._simulation = _Simulation(run, Failures(self._rules, seed=run.seed))
        for rule in self._rules:
            if not any(rule.fits(*transition.pair) for transition in run.model.transitions):
                logger.warning(
                    "No action of %s fits the rule for the failure of '%s'.", run.model_name, rule.action
                )

    def perform(self, step: Step) -> Performed:
        if self._simulation is None:
            raise RuntimeError("The driver was not opened.")
        performed = self._simulation.perform(step)
        if self._realtime and self._simulation.run.interruption.wait(performed.seconds):
            raise StepInterrupted
        return performed

    def close(self) -> None:
        self._simulation = None


class _Simulation:
    """The memory of one run: the names of the states that the run has seen."""

    def __init__(self, run: Run, failures: Failures) -> None:
        self.run = run
        self._failures = failures
        self._durations = random.Random(run.seed)  # noqa: S311 - not for secrets
        self._seen: set[str] = set()
        self._suite = str((run.asset or {}).get("asset_path") or run.model.suite_path)

    def perform(self, step: Step) -> Performed:
        fails = self._failures.strike(step.state, step.action)
        return Performed(
            passed=not fails,
            seconds=self._seconds(step),
            message=f"The simulation was told that '{step.action}' fails here." if fails else "",
            logs=tuple(LogLine(f"ran {snippet.full_name}") for snippet in step.snippets),
            screenshots=self._pictures(step, arrived=not fails),
        )

    def _seconds(self, step: Step) -> float:
        """An action has its usual duration, from a quarter of a second to two, give or take a fifth."""
        usual = 2 ** random.Random(f"{step.state}/{step.action}").uniform(-2, 1)  # noqa: S311 - not for secrets
        return round(usual * self._durations.uniform(0.8, 1.2), 3)

    def _pictures(self, step: Step, *, arrived: bool) -> tuple[Screenshot, ...]:
        visited = [step.state, step.target] if arrived else [step.state]
        new = [state for state in dict.fromkeys(visited) if state not in self._seen]
        self._seen.update(new)
        return tuple(self._picture(state, step) for state in new)

    def _picture(self, state: str, step: Step) -> Screenshot:
        return Screenshot(
            image=draw_state(state, model=self.run.model_name, order=step.order),
            content_type="image/png",
            name=state,
            state=state,
            action=step.action,
            script=step.snippets[0].script_path if step.snippets else "",
            suite=self._suite,
            capture_type="simulated",
        )
