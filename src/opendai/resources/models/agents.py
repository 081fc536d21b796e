"""The agent that usually walks a model."""

from pydantic import Field
from sqlalchemy import select

from opendai import tables
from opendai.auth.callers import User
from opendai.errors import Fault, Invalid, NotFound
from opendai.parts import SessionDep
from opendai.resources.agents import AgentOut, AgentRepository
from opendai.resources.models.visible import get_model, hold_model
from opendai.tables.columns import now
from opendai.wire.inputs import LARGEST_ID, Id, Input, Whole
from opendai.wire.routing import Router


class ModelAgentIn(Input):
    agent: Whole = Field(ge=1, le=LARGEST_ID)


router = Router(tags=["Agents"])


@router.put("/models/{model_id}/agent")
def set_model_agent(caller: User, session: SessionDep, model_id: Id, given: ModelAgentIn) -> AgentOut:
    """Associate an agent with a model, in place of the one that it had."""
    # The agent before the model: deleting an agent locks them in this order.
    known = session.scalar(
        select(tables.Agent.id)
        .where(tables.Agent.id == given.agent)
        .with_for_update(read=True, key_share=True)
    )
    model = hold_model(session, model_id, caller)
    if known is None:
        fault = Fault("agent", "is not the id of an agent")
        raise Invalid(f"There is no agent {given.agent}.", faults=[fault])
    model.agent_id = known
    model.updated_at = now()
    session.flush()
    return AgentOut.model_validate(AgentRepository(session).get(known))


@router.get("/models/{model_id}/agent")
def get_model_agent(caller: User, session: SessionDep, model_id: Id) -> AgentOut:
    """The agent that is associated with a model; 404 if there is none."""
    model = get_model(session, model_id, caller)
    if model.agent_id is None:
        raise NotFound(f"Model {model_id} has no agent.")
    return AgentOut.model_validate(AgentRepository(session).get(model.agent_id))
