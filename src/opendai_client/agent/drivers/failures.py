"""Rules by which the simulated system under test fails."""

import random
import re
from dataclasses import dataclass
from typing import Self

_ON_VISIT = re.compile(r"(?P<name>.*)@(?P<visit>[0-9]{1,9})", re.DOTALL)
_BY_CHANCE = re.compile(r"(?P<name>.*)%(?P<percent>[0-9]{1,3}(\.[0-9]{1,9})?)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FailureRule:
    """``action`` fails: in ``state`` only, if there is one; the ``on_visit``-th time only, counted from 1; or
    with ``probability``, a fraction of 1. Without either it fails every time.
    """

    action: str
    state: str | None = None
    on_visit: int | None = None
    probability: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """``Action``, ``State/Action``, and either with ``@2`` (second time) or ``%10`` (one time in ten).

        ValueError with a sentence if the text is none of these.
        """
        name, on_visit, probability = text, None, None
        if match := _ON_VISIT.fullmatch(text):
            name, on_visit = match["name"], int(match["visit"])
            if on_visit == 0:
                raise ValueError(f"'{text}' counts from 0; the first time is @1.")
        elif match := _BY_CHANCE.fullmatch(text):
            name, probability = match["name"], float(match["percent"]) / 100
            if probability > 1:
                raise ValueError(f"'{text}' asks for more than 100 %.")
        state, slash, action = name.partition("/")
        if not slash:
            state, action = "", name
        if not action.strip() or (slash and not state.strip()):
            raise ValueError(f"'{text}' is not 'Action' or 'State/Action', with '@2' or '%10' after it.")
        return cls(action, state if slash else None, on_visit, probability)

    def fits(self, state: str, action: str) -> bool:
        """Whether the rule is about this action here; a slash may also be part of an action's name."""
        if self.state is None:
            return action == self.action
        return (state, action) == (self.state, self.action) or action == f"{self.state}/{self.action}"


class Failures:
    """The rules over one run. The same seed and the same steps fail at the same places."""

    def __init__(self, rules: tuple[FailureRule, ...], *, seed: int) -> None:
        self._rules = rules
        self._visits = [0] * len(rules)
        # Each rule has a chance of its own, so that one more rule does not move the failures of the others.
        self._chances = [random.Random(f"{seed} {rule}") for rule in rules]  # noqa: S311 - not for secrets

    def strike(self, state: str, action: str) -> bool:
        """Whether the action fails this time. Call it exactly once for each time the action is performed."""
        # Every rule must count the visit, also after one that struck.
        strikes = [self._strikes(index, state, action) for index in range(len(self._rules))]
        return any(strikes)

    def _strikes(self, index: int, state: str, action: str) -> bool:
        rule = self._rules[index]
        if not rule.fits(state, action):
            return False
        self._visits[index] += 1
        if rule.probability is not None:
            return self._chances[index].random() < rule.probability
        return rule.on_visit is None or rule.on_visit == self._visits[index]
