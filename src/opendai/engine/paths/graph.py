"""A model as integers, for the searches that plan a walk, and the place that a walk has come to in it."""

from dataclasses import dataclass, field

from opendai.engine.coverage import RunCoverage
from opendai.engine.model.elements import ActionKind, Model

# The target of an edge whose action goes back to the state before.
PREVIOUS = -1
NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Graph:
    """States, actions and transitions of the model by their index in its tuples; an edge is a transition.

    `leaving` lists the edges out of each state in order of preference. `limits` is the call limit of each
    action. `groups` and `ranks` give each Sequent action the sequence that it belongs to and its place in
    it, and NOWHERE to all others. `remembers` tells whether any action depends on the state before.
    """

    model: Model
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    actions: tuple[int, ...]
    leaving: tuple[tuple[int, ...], ...]
    limits: tuple[int, ...]
    groups: tuple[int, ...]
    ranks: tuple[int, ...]
    origins: tuple[tuple[int, ...], ...]
    remembers: bool

    def targets_of(self, edge: int) -> tuple[int, ...]:
        """Each state that the edge may lead to: one, but for Previous actions."""
        target = self.targets[edge]
        return self.origins[self.sources[edge]] if target == PREVIOUS else (target,)


def build_graph(model: Model, edges_in_order: list[int] | None = None) -> Graph:
    """The graph with these edges only, all of them by default; their order is the order of preference."""
    states = {state.id: index for index, state in enumerate(model.states)}
    actions = {action.id: index for index, action in enumerate(model.actions)}
    targets = []
    for transition in model.transitions:
        target = model.target_of(*transition)
        targets.append(PREVIOUS if target is None else states[target.id])
    sources = tuple(states[transition.state.id] for transition in model.transitions)
    leaving: list[list[int]] = [[] for _ in model.states]
    for edge in range(len(sources)) if edges_in_order is None else edges_in_order:
        leaving[sources[edge]].append(edge)
    groups, ranks = _sequences(model)
    return Graph(
        model=model,
        sources=sources,
        targets=tuple(targets),
        actions=tuple(actions[transition.action.id] for transition in model.transitions),
        leaving=tuple(map(tuple, leaving)),
        limits=tuple(action.call_limit for action in model.actions),
        groups=groups,
        ranks=ranks,
        origins=tuple(
            tuple(states[origin] for origin in model.came_from.get(state.id, ())) for state in model.states
        ),
        remembers=bool(model.came_from),
    )


def _sequences(model: Model) -> tuple[tuple[int, ...], tuple[int, ...]]:
    numbers: dict[int | None, int] = {}
    lengths: dict[int, int] = {}
    groups = [NOWHERE] * len(model.actions)
    ranks = [NOWHERE] * len(model.actions)
    for index, action in enumerate(model.actions):
        if action.kind is ActionKind.SEQUENT:
            group = numbers.setdefault(action.owner, len(numbers))
            groups[index] = group
            ranks[index] = lengths.get(group, 0)
            lengths[group] = ranks[index] + 1
    return tuple(groups), tuple(ranks)


@dataclass(slots=True)
class Journey:
    """How far a walk has come: where it is, and what it has used up and unlocked on the way."""

    graph: Graph
    coverage: RunCoverage
    state: int
    previous: int = NOWHERE
    steps: int = 0
    uses: dict[int, int] = field(default_factory=dict)
    progress: dict[int, int] = field(default_factory=dict)
    # The actions whose call limit is used up: asked for at every edge of every search.
    exhausted: set[int] = field(default_factory=set)

    def remaining(self, action: int) -> int | None:
        """How often the action may still be taken, None for any number."""
        limit = self.graph.limits[action]
        return limit - self.uses.get(action, 0) if limit else None

    def is_available(self, edge: int) -> bool:
        """Whether the edge, which leaves the present state, can be taken now."""
        graph = self.graph
        action = graph.actions[edge]
        if action in self.exhausted:
            return False
        if graph.targets[edge] == PREVIOUS and self.previous == NOWHERE:
            return False
        return graph.ranks[action] <= self.progress.get(graph.groups[action], 0)

    def target_of(self, edge: int) -> int:
        """Where the edge leads from here."""
        target = self.graph.targets[edge]
        return self.previous if target == PREVIOUS else target

    def take(self, edge: int) -> None:
        graph = self.graph
        action = graph.actions[edge]
        self.uses[action] = self.uses.get(action, 0) + 1
        if self.uses[action] == graph.limits[action]:
            self.exhausted.add(action)
        group = graph.groups[action]
        if group != NOWHERE:
            self.progress[group] = max(self.progress.get(group, 0), graph.ranks[action] + 1)
        target = self.target_of(edge)
        if target != self.state:
            self.previous, self.state = self.state, target
        self.steps += 1
        self.coverage.add(graph.model.transitions[edge].pair)
