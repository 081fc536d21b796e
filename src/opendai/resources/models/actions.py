"""/models/{model_id}/actions: how often each action passed and failed."""

from pydantic import Field

from opendai.auth.callers import User
from opendai.parts import SessionDep
from opendai.reports.insights import action_totals
from opendai.resources.models.visible import get_model
from opendai.wire.inputs import Id, Output
from opendai.wire.routing import Router


class ModelActionOut(Output):
    """`is_rci`: the action is part of a journey of real customers."""

    state: str = Field(serialization_alias="stateName")
    action: str = Field(serialization_alias="actionName")
    passes: int
    is_rci: bool
    fails: int


router = Router(tags=["Insights"])


@router.get("/models/{model_id}/actions")
def list_actions(caller: User, session: SessionDep, model_id: Id) -> list[ModelActionOut]:
    """How often each action of the model's newest version passed and failed, in the document's order."""
    model = get_model(session, model_id, caller)
    return [ModelActionOut.model_validate(totals) for totals in action_totals(session, model.id)]
