"""A model and prose: the states and actions that sentences name, and an outline to write prose from."""

import re
from collections.abc import Iterable, Iterator, Mapping

from opendai.engine.model.elements import Model
from opendai.engine.testcases import Goal, GoalKind

_QUOTED = re.compile(r"""["\u201c-\u201e`]([^"\u201c-\u201e`]+)["\u201c-\u201e`]|(?<!\w)'([^']+)'(?!\w)""")
_TRIMMED = " \t\r\n.,;:!\"'`*"
# A shorter name stands in many sentences that do not mean it.
_SHORTEST_UNQUOTED = 3
_CUT = "\n(The description was cut off here: the model is larger than this.)"


class Names:
    """The states and actions of a model that a walk can come to, found again in sentences.

    A sentence that is nothing but a name names it, and so does one with the name in quotes, both in any case of
    the letters; without quotes the name must stand there letter by letter, as words of its own.
    """

    def __init__(self, model: Model) -> None:
        states = {state.name for state in model.reachable}
        actions = {transition.action.name for transition in model.transitions}
        self._actions = _Lexicon(GoalKind.ACTION, actions)
        self._states = _Lexicon(GoalKind.STATE, states)

    def in_action(self, sentence: str) -> list[Goal]:
        """The actions that the sentence names or, if it names none, the states."""
        return self._actions.find(sentence) or self._states.find(sentence)

    def in_result(self, sentence: str) -> list[Goal]:
        """The states that the sentence names."""
        return self._states.find(sentence)


class _Lexicon:
    def __init__(self, kind: GoalKind, names: Iterable[str]) -> None:
        # The test-case language has no way to write a double quote.
        writable = [name for name in names if name.strip() and '"' not in name]
        self._goals: Mapping[str, Goal] = {_folded(name): Goal(kind, name) for name in sorted(writable)}
        self._exact = {name: Goal(kind, name) for name in writable}
        longest_first = sorted((name for name in writable if len(name) >= _SHORTEST_UNQUOTED), key=len)[::-1]
        any_name = "|".join(map(re.escape, longest_first))
        self._pattern = re.compile(rf"(?<!\w)(?:{any_name})(?!\w)") if any_name else None

    def find(self, sentence: str) -> list[Goal]:
        whole = self._goal(sentence)
        if whole is not None:
            return [whole]
        quoted = [self._goal(found[1] or found[2]) for found in _QUOTED.finditer(sentence)]
        named = [goal for goal in quoted if goal is not None]
        if named or self._pattern is None:
            return named
        return [self._exact[found[0]] for found in self._pattern.finditer(sentence)]

    def _goal(self, text: str) -> Goal | None:
        return self._exact.get(text.strip()) or self._goals.get(_folded(text))


def _folded(text: str) -> str:
    return text.strip(_TRIMMED).casefold()


def outline(model: Model, *, longest: int) -> str:
    """The states that can be reached, each with its actions and where they lead; cut off where it gets too long."""
    text = f"Model: {model.name}\n"
    for line in _lines(model):
        if len(text) + len(line) + len(_CUT) > longest:
            return text.rstrip("\n") + _CUT
        text += line
    return text.rstrip("\n")


def _lines(model: Model) -> Iterator[str]:
    taken: dict[int, list[str]] = {}
    for state, action in model.transitions:
        target = model.target_of(state, action)
        where = f' -> State "{target.name}"' if target is not None and target is not state else ""
        taken.setdefault(state.id, []).append(f'  Action "{action.name}"{where}\n')
    for state in model.reachable:
        start = " (the walk starts here)" if state is model.start else ""
        yield f'State "{state.name}"{start}\n'
        yield from taken.get(state.id, ())
