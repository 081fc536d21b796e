"""A walk through a model: it is told the outcome of every step and yields the next.

The DAI documentation says what happens around the walk proper: a failed step leads to the Exception state,
and the Cleanup state is entered just before the run ends. Of both, the actions are taken once each in the
document's order, following where they lead while that is a state of the same kind.
"""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import TypeAlias

from opendai.engine.coverage import Pair
from opendai.engine.model.elements import Action, Model, Snippet, State, StateKind
from opendai.engine.paths.plan import Ending, Plan, Status
from opendai.engine.paths.strategies import STRATEGIES
from opendai.engine.paths.strategy import Strategy
from opendai.errors import Invalid


class Outcome(StrEnum):
    PASSED = "PASSED"
    FAILED = "FAILED"


class Phase(StrEnum):
    WALK = "walk"
    EXCEPTION = "exception"
    CLEANUP = "cleanup"


@dataclass(frozen=True, slots=True)
class Step:
    """Take the action in the state, run the snippets, and expect to be in the target.

    States and actions are names; `order` counts from 1 over all phases. The Start, Exception and Cleanup
    states are entered without an action: if they have snippets, that is a step with an empty action and the
    state as target.
    """

    order: int
    phase: Phase
    state: str
    action: str
    target: str
    snippets: tuple[Snippet, ...] = ()


@dataclass(frozen=True, slots=True)
class Conclusion:
    """How the walk came out: FAILED for the system under test, ERROR for a plan that the model does not
    allow.

    `unreachable` are states and actions in the spelling of test cases: the goals that are out of reach for a
    directed walk, and what no walk of the model can reach for an exploratory one. The first failed step
    gives `failed_state` and `failed_action`.
    """

    status: Status
    reason: str
    unreachable: tuple[str, ...] = ()
    failed_state: str = ""
    failed_action: str = ""


_Steps: TypeAlias = Generator[Step, Outcome, None]


class Walk:
    """One run of one model. Ask for `next_step`, `record` its outcome, until there is none; then conclude."""

    def __init__(self, model: Model, strategy: Strategy) -> None:
        self._model = model
        self._strategy = strategy
        self._order = 0
        self._step: Step | None = None
        self._outcome: Outcome | None = None
        self._failed: Step | None = None
        # The edge of the open step, if that belongs to the walk proper.
        self._taking: int | None = None
        self._phase = Phase.WALK
        self._ending: Ending | None = None
        self._steps = self._run()
        self.conclusion: Conclusion | None = None

    @property
    def coverage(self) -> float:
        """The coverage of the walk so far, from 0 to 1, as `run_coverage` counts it."""
        return self._strategy.journey.coverage.result.fraction

    def next_step(self) -> Step | None:
        """The step to take now: the same one until its outcome is recorded; None once there is a
        conclusion.
        """
        if self.conclusion is not None:
            return None
        if self._step is not None and self._outcome is None:
            return self._step
        try:
            self._step = next(self._steps) if self._outcome is None else self._steps.send(self._outcome)
        except StopIteration:
            self._step = None
            self.conclusion = self._conclude()
        self._outcome = None
        return self._step

    def record(self, outcome: Outcome) -> None:
        """How the last step of `next_step` came out."""
        if self._step is None or self._outcome is not None:
            raise RuntimeError("There is no step whose outcome is open.")
        self._outcome = Outcome(outcome)
        if self._outcome is Outcome.FAILED and self._failed is None:
            self._failed = self._step
        if self._taking is not None:
            self._strategy.journey.take(self._taking)
            self._strategy.note(self._taking)
            self._taking = None

    def abort(self) -> None:
        """End the walk, by way of Cleanup only if the model says so; a step without an outcome is given
        up.
        """
        if self.conclusion is not None:
            return
        self._ending = Ending("CANCELLED", "the run was aborted")
        # Nothing was touched before the first step, so there is nothing to clean up.
        if not self._model.run_cleanup_after_abort or self._order == 0:
            self.conclusion = self._conclude()
            self._step = self._outcome = None
        elif self._phase is not Phase.CLEANUP:
            self._steps.close()
            self._steps = self._visit(self._model.cleanup, Phase.CLEANUP)
            self._step = self._outcome = self._taking = None

    def _run(self) -> _Steps:
        """The whole run, phase after phase."""
        yield from self._walk()
        place = self._model.states[self._strategy.journey.state]
        if self._failed is not None:
            yield from self._visit(self._model.exception, Phase.EXCEPTION)
        elif place.kind is StateKind.EXCEPTION:
            yield from self._visit(place, Phase.EXCEPTION, is_inside=True)
        if self._failed is None and place.kind is StateKind.CLEANUP:
            yield from self._visit(place, Phase.CLEANUP, is_inside=True)
        elif self._order:
            yield from self._visit(self._model.cleanup, Phase.CLEANUP)

    def _walk(self) -> _Steps:
        journey = self._strategy.journey
        # Asked before the first step, so that a plan that leads nowhere does not touch the system under test.
        choice = self._strategy.choose()
        if not isinstance(choice, Ending):
            yield from self._enter(self._model.start, Phase.WALK)
        while not isinstance(choice, Ending) and self._failed is None:
            transition = self._model.transitions[choice]
            target = self._model.states[journey.target_of(choice)]
            self._taking = choice
            yield self._make_step(Phase.WALK, transition.state, transition.action, target)
            if self._failed is None:
                choice = self._strategy.choose()
        if isinstance(choice, Ending):
            self._ending = choice

    def _enter(self, state: State, phase: Phase) -> Generator[Step, Outcome, Outcome]:
        if not state.snippets or self._model.all_snippets_disabled:
            return Outcome.PASSED
        return (yield self._make_step(phase, state, None, state))

    def _visit(self, place: State | None, phase: Phase, *, is_inside: bool = False) -> _Steps:
        """Take each action of the state once, and of those of its kind that they lead to, until one fails.

        There is no state before here, so a Previous action stays where it is.
        """
        if place is None:
            return
        self._phase = phase
        kind = place.kind
        if not is_inside and (yield from self._enter(place, phase)) is Outcome.FAILED:
            return
        waiting: dict[int, Iterator[Action]] = {}
        while place.kind is kind:
            actions = waiting.setdefault(place.id, iter(self._model.actions_in(place)))
            action = next(actions, None)
            if action is None:
                return
            target = self._model.target_of(place, action) or place
            if (yield self._make_step(phase, place, action, target)) is Outcome.FAILED:
                return
            place = target

    def _make_step(self, phase: Phase, state: State, action: Action | None, target: State) -> Step:
        self._order += 1
        snippets = (*(action.snippets if action else ()), *target.snippets)
        return Step(
            order=self._order,
            phase=phase,
            state=state.name,
            action=action.name if action else "",
            target=target.name,
            snippets=() if self._model.all_snippets_disabled else snippets,
        )

    def _conclude(self) -> Conclusion:
        ending = self._ending
        status: Status
        failed = self._failed or Step(0, Phase.WALK, "", "", "")
        if ending is not None and (self._failed is None or ending.status in {"ERROR", "CANCELLED"}):
            status, reason = ending.status, ending.reason
        else:
            # Without an ending it was a failure that ended the walk.
            what = f'the action "{failed.action}" failed in' if failed.action else "the snippets failed of"
            status, reason = "FAILED", f'{what} the state "{failed.state}"'
        unreachable = ending.unreachable if ending else ()
        return Conclusion(status, reason, unreachable, failed.state, failed.action)


def start_walk(model: Model, plan: Plan, hits: Mapping[Pair, int] | None = None) -> Walk:
    """A walk of the model; `hits` is how often past runs took each action in each state, by their names.

    `TestCaseError` if the plan's test case cannot be read or names something that the model does not have;
    `Invalid` for a generator that does not exist.
    """
    generator = STRATEGIES.get(plan.kind)
    if generator is None:
        raise Invalid(f"A walk is {', '.join(STRATEGIES)}, not {plan.kind!r}.")
    if bool(plan.test_case.strip()) != generator.needs_test_case:
        raise Invalid("A directed walk has a test case that names something, and no other walk has one.")
    chance = Random(plan.seed)  # noqa: S311 - a walk has to be repeatable, not unpredictable
    return Walk(model, generator.begin(model, plan, hits=hits or {}, chance=chance))
