"""Agents: the programs that walk models, and the entries that people make by hand for other programs."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import bindparam, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Admin, User
from opendai.database import AnyRow, database_clock
from opendai.errors import Invalid, NotFound
from opendai.parts import repository
from opendai.resources.executions.endings import end_runs_of_agent
from opendai.wire.inputs import Id, Input, Line, Name, Output, Text, Whole, form_or_json, form_or_json_page
from opendai.wire.routing import Router, quick

AgentType = Annotated[Line, Field(max_length=20)]
Port = Annotated[Whole, Field(ge=0, le=65_535)]


class AgentPatch(Input):
    """The fields that may change; a field that is left out or null stays as it is."""

    name: Name | None = None
    record_path: Text | None = Field(None, alias="recordpath")
    suite: Text | None = None
    agent_type: AgentType | None = Field(None, alias="agenttype")
    epp_host: Line | None = Field(None, alias="epphost")
    epp_test_controller_port: Port | None = Field(None, alias="epptestcontrollerport")
    epp_analyzer_port: Port | None = Field(None, alias="eppanalyzerport")
    epp_workspace_path: Text | None = Field(None, alias="eppworkspacepath")
    is_marked_connected: bool | None = Field(None, alias="isconnected")
    is_hosted: bool | None = Field(None, alias="ishosted")


class AgentIn(Input):
    """Only the name is needed: the vendor's own client leaves out fields that its page calls required."""

    name: Name
    record_path: Text = Field("", alias="recordpath")
    suite: Text = ""
    agent_type: AgentType = Field("DESIGN", alias="agenttype")
    epp_host: Line = Field("", alias="epphost")
    epp_test_controller_port: Port = Field(123, alias="epptestcontrollerport")
    epp_analyzer_port: Port = Field(123, alias="eppanalyzerport")
    epp_workspace_path: Text = Field("", alias="eppworkspacepath")
    is_marked_connected: bool = Field(False, alias="isconnected")
    is_hosted: bool = Field(False, alias="ishosted")


class AgentOut(Output):
    id: int
    name: str
    record_path: str = Field(serialization_alias="recordpath")
    suite: str
    agent_type: str = Field(serialization_alias="agenttype")
    epp_host: str = Field(serialization_alias="epphost")
    epp_test_controller_port: int = Field(serialization_alias="epptestcontrollerport")
    epp_analyzer_port: int = Field(serialization_alias="eppanalyzerport")
    epp_workspace_path: str = Field(serialization_alias="eppworkspacepath")
    is_connected: bool = Field(serialization_alias="isconnected")
    is_hosted: bool = Field(serialization_alias="ishosted")


class AgentRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, agent_id: int) -> AnyRow:
        # On the connection: the session would take part of the time that the statement takes.
        row = self._session.connection().execute(_AGENT, {"id": agent_id}).one_or_none()
        if row is None:
            raise _missing(agent_id)
        return row

    def search(self, *, include_hosted: bool) -> Iterator[AnyRow]:
        yield from self._session.execute(_AGENTS if include_hosted else _OWN_AGENTS)

    def add(self, given: AgentIn) -> AnyRow:
        agent = tables.Agent(**given.model_dump())
        self._session.add(agent)
        self._flush(given.name)
        return self.get(agent.id)

    def change(self, agent_id: int, given: AgentPatch) -> AnyRow:
        agent = self._session.get(tables.Agent, agent_id)
        if agent is None:
            raise _missing(agent_id)
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
            raise _missing(agent_id)

    def _flush(self, name: str) -> None:
        try:
            self._session.flush()
        except IntegrityError as error:
            raise Invalid(f'There is an agent "{name}" already.') from error


# Built once, of bare columns: every agent asks for its own row at every turn, and the ORM would take longer to
# prepare the statement than the database takes to run it.
_agent = tables.Agent.__table__.c
_AGENTS = select(
    _agent.id,
    _agent.name,
    _agent.record_path,
    _agent.suite,
    _agent.agent_type,
    _agent.epp_host,
    _agent.epp_test_controller_port,
    _agent.epp_analyzer_port,
    _agent.epp_workspace_path,
    (_agent.is_marked_connected | (_agent.connected_until > database_clock())).label("is_connected"),
    _agent.is_hosted,
).order_by(_agent.id)
_OWN_AGENTS = _AGENTS.where(_agent.is_hosted.is_(False))
_AGENT = _AGENTS.where(_agent.id == bindparam("id"))


def _missing(agent_id: int) -> NotFound:
    return NotFound(f"There is no agent {agent_id}.")


Agents = Annotated[AgentRepository, repository(AgentRepository)]
router = Router(tags=["Agents"])


@router.post("/agents", openapi_extra=form_or_json_page(AgentIn))
def create_agent(caller: Admin, agents: Agents, given: Annotated[AgentIn, form_or_json(AgentIn)]) -> AgentOut:
    """Add an agent by hand. Agents that use our protocol register themselves."""
    return AgentOut.model_validate(agents.add(given))


@router.get("/agents")
def list_agents(caller: User, agents: Agents, include_hosted: bool = True) -> list[AgentOut]:
    """All agents, by id."""
    return [AgentOut.model_validate(row) for row in agents.search(include_hosted=include_hosted)]


@router.get("/agents/{id}")
@quick
def get_agent(caller: User, agents: Agents, id: Id) -> AgentOut:
    """One agent."""
    return AgentOut.model_validate(agents.get(id))


@router.put("/agents/{id}")
def update_agent(caller: Admin, agents: Agents, id: Id, given: AgentPatch) -> AgentOut:
    """Change an agent; fields that are left out stay as they are."""
    return AgentOut.model_validate(agents.change(id, given))


@router.delete("/agents/{id}")
def delete_agent(caller: Admin, agents: Agents, id: Id) -> dict[str, Any]:
    """Delete an agent. Its runs stay; those that wait for it end as ERROR."""
    agents.remove(id)
    return {}
