"""The coverage of the runs of a model's newest version."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.engine import Model, parse_model, run_coverage
from opendai.errors import NotFound


@dataclass(frozen=True, slots=True)
class ActionHits:
    """How often an action was taken in a state."""

    state: str
    action: str
    hits: int


@dataclass(frozen=True, slots=True)
class TestCoverage:
    """The coverage of one test case as a fraction of 1. An empty name is for the walks without a test case."""

    __test__ = False  # The name looks like a test to pytest.

    name: str
    coverage: float
    actions: list[ActionHits]


@dataclass(frozen=True, slots=True)
class ModelCoverage:
    version_id: int
    passed: int
    failed: int
    broken: int
    coverage: float
    tests: list[TestCoverage]


def model_coverage(session: Session, model_id: int) -> ModelCoverage:
    """The coverage of a model's newest version, from totals that are kept as runs end."""
    model, version, total = tables.Model, tables.ModelVersion, tables.TransitionTotal
    row = session.execute(
        select(version.id, version.document, version.passed, version.failed, version.broken)
        .join(model, (version.model_id == model.id) & (version.number == model.version_number))
        .where(model.id == model_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no model {model_id}.")
    taken: defaultdict[str, list[ActionHits]] = defaultdict(list)
    totals = session.execute(
        select(total.test_case, total.state, total.action, total.passes + total.fails)
        .where(total.version_id == row.id)
        .order_by(total.test_case, total.state, total.action)
    )
    for test_case, state, action, hits in totals:
        taken[test_case].append(ActionHits(state, action, int(hits)))
    document = parse_model(row.document)
    return ModelCoverage(
        version_id=row.id,
        passed=row.passed,
        failed=row.failed,
        broken=row.broken,
        coverage=_share(document, [hit for hits in taken.values() for hit in hits]),
        tests=[TestCoverage(name, _share(document, hits), hits) for name, hits in taken.items()],
    )


def _share(document: Model, hits: list[ActionHits]) -> float:
    return run_coverage(document, ((hit.state, hit.action) for hit in hits))
