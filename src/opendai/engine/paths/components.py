"""The strongly connected parts of a graph: within one, a walk can always come back; between them, never."""

from collections.abc import Sequence

from opendai.engine.paths.graph import NOWHERE, Journey


def find_components(journey: Journey) -> list[int]:
    """For each state the number of its component, over the edges whose actions are not used up.

    The numbers are in reverse topological order: an edge leads to a component of the same or a smaller
    number.
    """
    graph = journey.graph
    onward = [
        [
            target
            for edge in edges
            if graph.actions[edge] not in journey.exhausted
            for target in graph.targets_of(edge)
        ]
        for edges in graph.leaving
    ]
    return _tarjan(onward)


def find_reachable(journey: Journey, source: int, *, goal: int = NOWHERE) -> set[int]:
    """The states that edges lead to whose actions are not used up, at least until the goal is among them."""
    graph = journey.graph
    found = {source}
    waiting = [source]
    # The list grows while it is gone through: it is the queue.
    for state in waiting:
        for edge in graph.leaving[state]:
            if graph.actions[edge] in journey.exhausted:
                continue
            for target in graph.targets_of(edge):
                if target not in found:
                    found.add(target)
                    waiting.append(target)
        if goal in found:
            break
    return found


def _tarjan(onward: Sequence[Sequence[int]]) -> list[int]:
    """Tarjan's algorithm with a stack of its own, as models are deeper than Python's."""
    unseen = -1
    numbers = [unseen] * len(onward)
    lowest = [0] * len(onward)
    components = [unseen] * len(onward)
    open_states: list[int] = []
    count = 0
    found = 0
    for root in range(len(onward)):
        if numbers[root] != unseen:
            continue
        visits = [(root, iter(onward[root]))]
        numbers[root] = lowest[root] = count
        count += 1
        open_states.append(root)
        while visits:
            state, targets = visits[-1]
            for target in targets:
                if numbers[target] == unseen:
                    numbers[target] = lowest[target] = count
                    count += 1
                    open_states.append(target)
                    visits.append((target, iter(onward[target])))
                    break
                if components[target] == unseen:
                    lowest[state] = min(lowest[state], numbers[target])
            else:
                visits.pop()
                if visits:
                    parent = visits[-1][0]
                    lowest[parent] = min(lowest[parent], lowest[state])
                if lowest[state] == numbers[state]:
                    _close(state, open_states, components, found)
                    found += 1
    return components


def _close(state: int, open_states: list[int], components: list[int], number: int) -> None:
    while True:
        member = open_states.pop()
        components[member] = number
        if member == state:
            return
