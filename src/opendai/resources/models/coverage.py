"""The coverage report of a model, in the shape of DAI's legacy report: its numbers are text."""

from datetime import UTC, datetime

from pydantic import Field

from opendai.auth.callers import User
from opendai.parts import SessionDep
from opendai.reports.coverage import ActionHits, TestCoverage, model_coverage
from opendai.resources.models.visible import get_model
from opendai.wire.inputs import Id, Output
from opendai.wire.routing import Router


class ActionCoverageOut(Output):
    name: str
    coverage: str
    kind: str = "Action"
    hits: str = Field(serialization_alias="hitCount")


class TestCoverageOut(Output):
    name: str
    coverage: str
    kind: str = "Test"
    items: list[ActionCoverageOut]


class ModelCoverageOut(Output):
    """`bob`, the only field of the published page, is the coverage again."""

    bob: str
    date: str
    runs: str = Field(serialization_alias="testCount")
    passed: str = Field(serialization_alias="passCount")
    failed: str = Field(serialization_alias="failCount")
    version_id: str = Field(serialization_alias="hierarchyId")
    coverage: str
    report: list[TestCoverageOut]


router = Router(tags=["Coverage"])


@router.get("/models/{model_id}/coverage")
def get_model_coverage(caller: User, session: SessionDep, model_id: Id) -> ModelCoverageOut:
    """The coverage of the finished runs of the model's newest version, in fractions of 1."""
    model = get_model(session, model_id, caller)
    report = model_coverage(session, model.id)
    return ModelCoverageOut(
        bob=_number(report.coverage),
        date=datetime.now(UTC).isoformat(),
        runs=str(report.passed + report.failed + report.broken),
        passed=str(report.passed),
        failed=str(report.failed),
        version_id=str(report.version_id),
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
    return ActionCoverageOut(name=f"{hits.state} / {hits.action}", coverage="1.0", hits=str(hits.hits))


def _number(share: float) -> str:
    return str(round(share, 9))
