"""A `modeljson` document into a `Model`, or a refusal that names each place that is wrong."""

import functools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from opendai.engine.formats.readers import Faults, Reader, shown
from opendai.engine.formats.syntax import Unreadable, load_json
from opendai.engine.model.elements import (
    Action,
    ActionKind,
    Model,
    Snippet,
    State,
    StateKind,
    StoredTestCase,
    build_model,
)
from opendai.errors import Fault, Invalid

# Global actions are offered in every state, so a short document can stand for a graph of any size.
MOST_TRANSITIONS = 250_000
LARGEST_WEIGHT = 1e9


# Global actions make many transitions of a short text: what is kept stays small.
_LARGEST_KEPT = 32 * 1024
_MOST_KEPT = 16


class ModelError(Invalid):
    """The document is not a model that can be walked; `faults` name the places."""


@dataclass(slots=True)
class _Elements:
    """The elements of the document, each with the reader of its place for faults that only the whole shows."""

    root: tuple[int, str] | None = None
    states: list[tuple[State, Reader]] = field(default_factory=list)
    actions: list[tuple[Action, Reader]] = field(default_factory=list)

    @property
    def root_id(self) -> int:
        return self.root[0] if self.root else 0


def parse_model(text: str) -> Model:
    """The model that a genuine `modeljson` document describes; `ModelError` for any other text.

    Keys that the engine does not need are ignored, as are elements that are neither Root nor State nor
    Action. A model never changes, so the latest ones of moderate size are kept by their text.
    """
    return _kept(text) if len(text) <= _LARGEST_KEPT else _parse(text)


def _parse(text: str) -> Model:
    try:
        document = load_json(text)
    except Unreadable as error:
        raise ModelError(
            f"The model cannot be read: {error}.", faults=[Fault("modeljson", str(error))]
        ) from error
    if not isinstance(document, dict):
        raise _refusal([Fault("modeljson", "it is not an object")], 1)
    faults = Faults()
    reader = Reader(document, "modeljson", faults)
    model = _read_model(reader)
    if model is None or faults.count:
        raise _refusal(faults.found, faults.count)
    return model


_kept = functools.lru_cache(_MOST_KEPT)(_parse)


def _refusal(found: list[Fault], count: int) -> ModelError:
    first = f"The model cannot be used: {found[0].field}: {found[0].problem}"
    return ModelError(f"{first} (and {count - 1} more)." if count > 1 else f"{first}.", faults=found)


def _read_model(reader: Reader) -> Model | None:
    """None if there is a fault; it has been noted then."""
    if reader.values.get("elements") is None:
        reader.fault("elements", "the list of states and actions is missing")
    elements = _read_elements(reader.objects("elements"))
    test_cases = [_read_test_case(item) for item in reader.objects("testcases")]
    suite_path = reader.text("suitePath")
    is_silent = reader.flag("allSnippetsDisabled", default=False)
    cleans_up = reader.flag("runCleanupAfterAbort", default=False)
    allows_global = reader.flag("allowGlobalActionsInInitialStates", default=True)
    # Looking for what does not fit together, where the parts are wrong, would only find consequences.
    if reader.faults.count == 0:
        _check_states(reader, elements)
        _check_links(elements)
    if reader.faults.count == 0:
        _check_actions(reader, elements, allows_global=allows_global)
    if reader.faults.count:
        return None
    return build_model(
        name=elements.root[1] if elements.root else "",
        states=(state for state, _ in elements.states),
        actions=(action for action, _ in elements.actions),
        test_cases=test_cases,
        suite_path=suite_path,
        all_snippets_disabled=is_silent,
        run_cleanup_after_abort=cleans_up,
        allow_global_actions_in_start=allows_global,
    )


def _read_elements(readers: Iterable[Reader]) -> _Elements:
    elements = _Elements()
    places: dict[int, str] = {}
    for reader in readers:
        identifier = _read_id(reader, places)
        match reader.values.get("type"):
            case "Root":
                if elements.root is not None:
                    reader.fault("type", "there is a second Root")
                elements.root = (identifier or 0, reader.text("name"))
            case "State":
                if identifier == 0:
                    reader.fault("id", "the id 0 stands for the root")
                elements.states.append((_read_state(reader, identifier or 0), reader))
            case "Action":
                elements.actions.append((_read_action(reader, identifier or 0), reader))
            case _:
                # Elements of kinds that are not published stay in the text and out of the graph.
                if not reader.text("type") and reader.values.get("type") in (None, ""):
                    reader.fault("type", "an element says Root, State or Action")
    return elements


def _read_id(reader: Reader, places: dict[int, str]) -> int | None:
    identifier = reader.integer("id")
    if reader.values.get("id") is None:
        reader.fault("id", "an id is missing")
    elif identifier in places:
        reader.fault("id", f"{places[identifier]} has the id {identifier} too")
    elif identifier is not None:
        places[identifier] = reader.place
    return identifier


def _read_state(reader: Reader, identifier: int) -> State:
    name = reader.name("name")
    kind = reader.text("stateType", StateKind.NORMAL)
    if kind not in set(StateKind):
        reader.fault("stateType", f"there is no such type of state: {shown(kind)}")
        kind = StateKind.NORMAL
    # The Exit state of a genuine document is a Normal one that sorts last.
    if kind == StateKind.NORMAL and (reader.text("sortingType") == "Z" or name == "Exit"):
        kind = StateKind.EXIT
    return State(identifier, name, StateKind(kind), _read_snippets(reader), reader.text("rciTag") or None)


def _read_action(reader: Reader, identifier: int) -> Action:
    kind = reader.text("actionType", ActionKind.NORMAL)
    if kind not in set(ActionKind):
        reader.fault("actionType", f"there is no such type of action: {shown(kind)}")
        kind = ActionKind.NORMAL
    return Action(
        id=identifier,
        name=reader.name("name"),
        kind=ActionKind(kind),
        owner=reader.integer("parentId") or None,
        target=_read_target(reader),
        call_limit=reader.integer("callLimit") or 0,
        weight=reader.amount("weight", default=100, largest=LARGEST_WEIGHT),
        snippets=_read_snippets(reader),
        rci_tag=reader.text("rciTag") or None,
    )


def _read_target(reader: Reader) -> int | None:
    connections = reader.objects("connectedStates")
    if len(connections) > 1:
        # No documented meaning: a choice between them would have no name that a run could report.
        reader.fault("connectedStates[1]", "an action leads to one state at most")
    targets = [connection.integer("stateRef") for connection in connections]
    for connection in connections:
        if connection.values.get("stateRef") is None:
            connection.fault("stateRef", "the id of a state is missing")
    return targets[0] if targets else None


def _read_snippets(reader: Reader) -> tuple[Snippet, ...]:
    return tuple(
        Snippet(item.text("scriptPath"), item.text("fullName"), item.text("type", "normal"))
        for item in reader.objects("snippets")
    )


def _read_test_case(reader: Reader) -> StoredTestCase:
    identifier = reader.values.get("id")
    return StoredTestCase(
        name=reader.text("testcaseName"),
        text=reader.text("testcase"),
        tags=reader.text("testcaseTags"),
        description=reader.text("testcaseDescription"),
        origin=reader.text("testcaseOrigin"),
        external_id=reader.text("testcaseExternalID"),
        id=(reader.text("id") or None) if isinstance(identifier, str) else reader.integer("id"),
    )


def _check_states(reader: Reader, elements: _Elements) -> None:
    first: dict[str, str] = {}
    starts = 0
    for state, place in elements.states:
        if state.name in first:
            place.fault("name", f"{first[state.name]} has the name {shown(state.name)} too")
        first.setdefault(state.name, place.place)
        starts += state.kind is StateKind.START
        if state.kind is StateKind.START and starts > 1:
            place.fault("stateType", "there is a second Start state")
    if starts == 0:
        reader.fault("elements", "there is no Start state")


def _check_links(elements: _Elements) -> None:
    states = {state.id for state, _ in elements.states}
    parents = states | {elements.root_id, 0} | {action.id for action, _ in elements.actions}
    for _, place in elements.states:
        parent = place.integer("parentId")
        if parent is not None and parent not in parents:
            place.fault("parentId", f"there is no element {parent}")
    for index, (action, place) in enumerate(elements.actions):
        if action.owner == elements.root_id:
            elements.actions[index] = (replace(action, owner=None), place)
        elif action.owner is not None and action.owner not in states:
            place.fault("parentId", f"there is no state {action.owner}")
        if action.target is not None and action.target not in states:
            place.fault("connectedStates[0].stateRef", f"there is no state {action.target}")


def _check_actions(reader: Reader, elements: _Elements, *, allows_global: bool) -> None:
    """Runs know an action by the names of its state and its own, so these must tell it from every other."""
    taken: dict[tuple[int | None, str], str] = {}
    counts = Counter(action.owner for action, _ in elements.actions)
    for action, place in elements.actions:
        here = (action.owner, action.name)
        if here in taken:
            place.fault("name", f"{taken[here]} has the name {shown(action.name)} in the same state")
        taken.setdefault(here, place.place)
    offering = {StateKind.NORMAL, StateKind.START} if allows_global else {StateKind.NORMAL}
    with_global = {state.id for state, _ in elements.states if state.kind in offering}
    for action, place in elements.actions:
        if action.owner in with_global and (None, action.name) in taken:
            place.fault("name", f"the global action {taken[None, action.name]} has the same name")
    total = sum(counts[owner] for owner in counts if owner is not None) + counts[None] * len(with_global)
    if total > MOST_TRANSITIONS:
        reader.fault("elements", f"states and actions make more than {MOST_TRANSITIONS} transitions")
