"""The coverage report of a model, in the shape of DAI's legacy report: its numbers are text."""

from datetime import UTC, datetime

from sqlalchemy import select

from opendai import tables
from opendai.auth.callers import User
from opendai.errors import NotFound
from opendai.parts import SessionDep
from opendai.reports.coverage import ActionHits, TestCoverage, model_coverage
from opendai.wire.inputs import Id, Output
from opendai.wire.routing import Router


class ActionCoverageOut(Output):
    name: str
    coverage: str
    kind: str = "Action"
    hitCount: str  # noqa: N815 - the published spelling


class TestCoverageOut(Output):
    name: str
    coverage: str
    kind: str = "Test"
    items: list[ActionCoverageOut]


class ModelCoverageOut(Output):
    """`bob` is all that the published page names; it is the coverage again."""

    bob: str
    date: str
    testCount: str  # noqa: N815
    passCount: str  # noqa: N815
    failCount: str  # noqa: N815
    hierarchyId: str  # noqa: N815
    coverage: str
    report: list[TestCoverageOut]


router = Router(tags=["Coverage"])


@router.get("/models/{model_id}/coverage")
def get_model_coverage(caller: User, session: SessionDep, model_id: Id) -> ModelCoverageOut:
    """What the finished runs of the model's newest version covered; fractions of 1."""
    model = tables.Model
    seen = session.scalar(select(model.id).where(model.id == model_id, caller.sees(model.group_id)))
    report = model_coverage(session, model_id) if seen is not None else None
    if report is None:
        raise NotFound(f"There is no model {model_id}.")
    return ModelCoverageOut(
        bob=_number(report.coverage),
        date=datetime.now(UTC).isoformat(),
        testCount=str(report.passed + report.failed + report.broken),
        passCount=str(report.passed),
        failCount=str(report.failed),
        hierarchyId=str(report.version_id),
        coverage=_number(report.coverage),
        report=[_test(test) for test in report.tests],
    )


def _test(test: TestCoverage) -> TestCoverageOut:
    return TestCoverageOut(
        name=test.name or "Exploratory",
        coverage=_number(test.coverage),
        items=[_action(hits) for hits in test.actions],
    )


def _action(hits: ActionHits) -> ActionCoverageOut:
    return ActionCoverageOut(name=f"{hits.state} / {hits.action}", coverage="1.0", hitCount=str(hits.hits))


def _number(share: float) -> str:
    return str(round(share, 9))
