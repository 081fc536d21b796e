"""The agent that usually walks a model."""

from typing import Annotated

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller, User
from opendai.database import AnyRow
from opendai.errors import Fault, Invalid, NotFound
from opendai.parts import repository
from opendai.resources.agents import AgentOut, AgentRepository
from opendai.resources.models.visible import get_model, hold_model
from opendai.tables.columns import now
from opendai.wire.inputs import LARGEST_ID, Id, Input, Whole
from opendai.wire.routing import Router


class ModelAgentIn(Input):
    agent_id: Whole = Field(alias="agent", ge=1, le=LARGEST_ID)


class ModelAgentRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, model_id: int, caller: Caller) -> AnyRow:
        """The row of the model's agent; NotFound if it has none."""
        model = get_model(self._session, model_id, caller)
        if model.agent_id is None:
            raise NotFound(f"Model {model_id} has no agent.")
        return AgentRepository(self._session).get(model.agent_id)

    def change(self, model_id: int, agent_id: int, caller: Caller) -> AnyRow:
        # The agent before the model: deleting an agent locks them in this order.
        is_known = hold_agent(self._session, agent_id)
        model = hold_model(self._session, model_id, caller)
        if not is_known:
            raise unknown_agent(agent_id)
        model.agent_id = agent_id
        model.updated_at = now()
        self._session.flush()
        return AgentRepository(self._session).get(agent_id)


def hold_agent(session: Session, agent_id: int) -> bool:
    """Whether there is such an agent. If so, the lock keeps it until the transaction ends."""
    agent = tables.Agent
    query = select(agent.id).where(agent.id == agent_id).with_for_update(read=True, key_share=True)
    return session.scalar(query) is not None


def unknown_agent(agent_id: int) -> Invalid:
    fault = Fault("agent", "is not the id of an agent")
    return Invalid(f"There is no agent {agent_id}.", faults=[fault])


ModelAgents = Annotated[ModelAgentRepository, repository(ModelAgentRepository)]
router = Router(tags=["Agents"])


@router.put("/models/{model_id}/agent")
def set_model_agent(caller: User, agents: ModelAgents, model_id: Id, given: ModelAgentIn) -> AgentOut:
    """Associate an agent with a model, in place of the one that it had."""
    return AgentOut.model_validate(agents.change(model_id, given.agent_id, caller))


@router.get("/models/{model_id}/agent")
def get_model_agent(caller: User, agents: ModelAgents, model_id: Id) -> AgentOut:
    """The agent that is associated with a model; 404 if there is none."""
    return AgentOut.model_validate(agents.get(model_id, caller))
