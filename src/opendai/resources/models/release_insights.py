"""/models/{model_id}/release-insights: how ready the newest version of a model is."""

from datetime import UTC, datetime

from pydantic import Field

from opendai.auth.callers import User
from opendai.errors import NotFound
from opendai.parts import SessionDep
from opendai.reports.insights import release_insights
from opendai.resources.models.actions import ModelActionOut
from opendai.resources.models.visible import get_model
from opendai.wire.inputs import Id, Output, Timestamp
from opendai.wire.routing import Router


class VersionOut(Output):
    """One version of the model; `inconclusive` runs ended as ERROR or CANCELLED."""

    id: int = Field(serialization_alias="hierarchyid")
    number: int = Field(serialization_alias="version")
    created_at: Timestamp = Field(serialization_alias="created")
    runs: int
    passed: int = Field(serialization_alias="passes")
    failed: int = Field(serialization_alias="fails")
    broken: int = Field(serialization_alias="inconclusive")
    pass_rate: float | None


class ReleaseInsightsOut(Output):
    """`id`, the only field of the published page, is the id of the model.

    `coverage` is a fraction of 1. `pass_rate` is the fraction of the runs with a verdict that passed; it is null
    without a verdict. All numbers outside `trend` are of the newest version; `trend` goes from old to new.
    """

    id: int
    modelname: str
    hierarchyid: int
    version: int
    runs: int
    passes: int
    fails: int
    inconclusive: int
    pass_rate: float | None
    coverage: float
    actions: int
    actions_taken: int
    failing_actions: list[ModelActionOut]
    trend: list[VersionOut]
    date_as_of: Timestamp


router = Router(tags=["Insights"])


@router.get("/models/{model_id}/release-insights")
def get_release_insights(caller: User, session: SessionDep, model_id: Id) -> ReleaseInsightsOut:
    """How ready the newest version is; 404 while no run of the model has finished."""
    model = get_model(session, model_id, caller)
    insights = release_insights(session, model.id)
    if insights is None:
        raise NotFound(f"No run of model {model_id} has finished yet.")
    newest = insights.trend[-1]
    return ReleaseInsightsOut(
        id=model_id,
        modelname=insights.model_name,
        hierarchyid=newest.id,
        version=newest.number,
        runs=newest.runs,
        passes=newest.passed,
        fails=newest.failed,
        inconclusive=newest.broken,
        pass_rate=newest.pass_rate,
        coverage=insights.coverage,
        actions=insights.actions,
        actions_taken=insights.actions_taken,
        failing_actions=[ModelActionOut.model_validate(totals) for totals in insights.failing],
        trend=[VersionOut.model_validate(totals) for totals in insights.trend],
        date_as_of=datetime.now(UTC),
    )
