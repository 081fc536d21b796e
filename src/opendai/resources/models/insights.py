"""What the finished runs of a model say: of each action, and of the newest version as a whole."""

from datetime import UTC, datetime

from opendai.auth.callers import User
from opendai.errors import NotFound
from opendai.parts import SessionDep
from opendai.reports.insights import ActionTotals, VersionTotals, action_totals, release_insights
from opendai.resources.models.visible import get_model
from opendai.wire.inputs import Id, Output, Timestamp
from opendai.wire.routing import Router


class ModelActionOut(Output):
    """`is_rci`: the action is part of a journey of real customers."""

    stateName: str  # noqa: N815 - the published spelling
    actionName: str  # noqa: N815
    passes: int
    is_rci: bool
    fails: int


class VersionOut(Output):
    """One version of the model; `inconclusive` runs ended as ERROR or CANCELLED."""

    hierarchyid: int
    version: int
    created: Timestamp
    runs: int
    passes: int
    fails: int
    inconclusive: int
    pass_rate: float | None


class ReleaseInsightsOut(Output):
    """`id` is all that the published page names; it is the id of the model.

    `pass_rate` and `coverage` are fractions of 1, the former of the runs with a verdict and null without any.
    All numbers but `trend` are those of the newest version; `trend` goes from old to new.
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


@router.get("/models/{model_id}/actions")
def list_actions(caller: User, session: SessionDep, model_id: Id) -> list[ModelActionOut]:
    """How often each action of the model's newest version passed and failed, in the document's order."""
    get_model(session, model_id, caller)
    return [_action(totals) for totals in action_totals(session, model_id)]


@router.get("/models/{model_id}/release-insights")
def get_release_insights(caller: User, session: SessionDep, model_id: Id) -> ReleaseInsightsOut:
    """How ready the newest version is; 404 while no run of the model has finished."""
    get_model(session, model_id, caller)
    insights = release_insights(session, model_id)
    if insights is None:
        raise NotFound(f"No run of model {model_id} has finished yet.")
    newest = _version(insights.trend[-1])
    return ReleaseInsightsOut(
        **newest.model_dump(exclude={"created"}),
        id=model_id,
        modelname=insights.model_name,
        coverage=insights.coverage,
        actions=insights.actions,
        actions_taken=insights.actions_taken,
        failing_actions=[_action(totals) for totals in insights.failing],
        trend=[_version(totals) for totals in insights.trend],
        date_as_of=datetime.now(UTC),
    )


def _action(totals: ActionTotals) -> ModelActionOut:
    return ModelActionOut(
        stateName=totals.state,
        actionName=totals.action,
        passes=totals.passes,
        is_rci=totals.is_rci,
        fails=totals.fails,
    )


def _version(totals: VersionTotals) -> VersionOut:
    return VersionOut(
        hierarchyid=totals.id,
        version=totals.number,
        created=totals.created_at,
        runs=totals.runs,
        passes=totals.passed,
        fails=totals.failed,
        inconclusive=totals.broken,
        pass_rate=totals.pass_rate,
    )
