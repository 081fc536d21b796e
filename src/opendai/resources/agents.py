"""Agents: the programs that walk models, and those that somebody wrote down by hand."""

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import bindparam, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Admin, User
from opendai.database import database_clock
from opendai.errors import Invalid, NotFound
from opendai.parts import repository
from opendai.resources.executions.endings import end_runs_of_agent
from opendai.wire.inputs import Id, Input, Line, Name, Output, Text, Whole, form_or_json, form_or_json_page
from opendai.wire.routing import Router, quick

AgentType = Annotated[Line, Field(max_length=20)]
Port = Annotated[Whole, Field(ge=0, le=65_535)]


class AgentPatch(Input):
    """What may change; a field that is left out or null stays as it is."""

    name: Name | None = None
    recordpath: Text | None = None
    suite: Text | None = None
    agenttype: AgentType | None = None
    epphost: Line | None = None
    epptestcontrollerport: Port | None = None
    eppanalyzerport: Port | None = None
    eppworkspacepath: Text | None = None
    is_marked_connected: bool | None = Field(None, alias="isconnected")
    is_hosted: bool | None = Field(None, alias="ishosted")


class AgentIn(Input):
    """Only the name is needed: the vendor's own client leaves out fields that its page calls required."""

    name: Name
    recordpath: Text = ""
    suite: Text = ""
    agenttype: AgentType = "DESIGN"
    epphost: Line = ""
    epptestcontrollerport: Port = 123
    eppanalyzerport: Port = 123
    eppworkspacepath: Text = ""
    is_marked_connected: bool = Field(False, alias="isconnected")
    is_hosted: bool = Field(False, alias="ishosted")


class AgentOut(Output):
    id: int
    name: str
    recordpath: str
    suite: str
    agenttype: str
    epphost: str
    epptestcontrollerport: int
    eppanalyzerport: int
    eppworkspacepath: str
    isconnected: bool
    ishosted: bool


class AgentRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, agent_id: int) -> AgentOut:
        row = self._session.execute(_AGENT, {"id": agent_id}).one_or_none()
        if row is None:
            raise NotFound(f"There is no agent {agent_id}.")
        return AgentOut.model_validate(row)

    def search(self, *, include_hosted: bool) -> list[AgentOut]:
        query = _AGENTS.order_by(tables.Agent.id)
        if not include_hosted:
            query = query.where(tables.Agent.is_hosted.is_(False))
        return [AgentOut.model_validate(row) for row in self._session.execute(query)]

    def add(self, given: AgentIn) -> AgentOut:
        agent = tables.Agent(**given.model_dump())
        self._session.add(agent)
        self._flush(given.name)
        return self.get(agent.id)

    def change(self, agent_id: int, given: AgentPatch) -> AgentOut:
        agent = self._session.get(tables.Agent, agent_id)
        if agent is None:
            raise NotFound(f"There is no agent {agent_id}.")
        for column, value in given.model_dump(exclude_none=True).items():
            setattr(agent, column, value)
        self._flush(agent.name)
        return self.get(agent_id)

    def remove(self, agent_id: int) -> None:
        end_runs_of_agent(self._session, agent_id)
        gone = self._session.execute(
            delete(tables.Agent).where(tables.Agent.id == agent_id).returning(tables.Agent.id)
        ).all()
        if not gone:
            raise NotFound(f"There is no agent {agent_id}.")

    def _flush(self, name: str) -> None:
        try:
            self._session.flush()
        except IntegrityError as error:
            raise Invalid(f'There is an agent "{name}" already.') from error


_agent = tables.Agent
_AGENTS = select(
    _agent.id,
    _agent.name,
    _agent.recordpath,
    _agent.suite,
    _agent.agenttype,
    _agent.epphost,
    _agent.epptestcontrollerport,
    _agent.eppanalyzerport,
    _agent.eppworkspacepath,
    (_agent.is_marked_connected | (_agent.connected_until > database_clock())).label("isconnected"),
    _agent.is_hosted.label("ishosted"),
)

# One agent, asked for at every turn of its own: building the statement would take longer than running it.
_AGENT = _AGENTS.where(_agent.id == bindparam("id"))

Agents = Annotated[AgentRepository, repository(AgentRepository)]
router = Router(tags=["Agents"])


@router.post("/agents", openapi_extra=form_or_json_page(AgentIn))
def create_agent(caller: Admin, agents: Agents, given: Annotated[AgentIn, form_or_json(AgentIn)]) -> AgentOut:
    """Write down an agent. Agents that speak our protocol register themselves."""
    return agents.add(given)


@router.get("/agents")
def list_agents(caller: User, agents: Agents, include_hosted: bool = True) -> list[AgentOut]:
    """All agents, by id."""
    return agents.search(include_hosted=include_hosted)


@router.get("/agents/{id}")
@quick
def get_agent(caller: User, agents: Agents, id: Id) -> AgentOut:
    """One agent."""
    return agents.get(id)


@router.put("/agents/{id}")
def update_agent(caller: Admin, agents: Agents, id: Id, given: AgentPatch) -> AgentOut:
    """Change an agent; fields that are left out stay as they are."""
    return agents.change(id, given)


@router.delete("/agents/{id}")
def delete_agent(caller: Admin, agents: Agents, id: Id) -> dict[str, Any]:
    """Delete an agent; what it ran stays."""
    agents.remove(id)
    return {}
