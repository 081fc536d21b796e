"""The bodies of the plain application."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class AgentOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

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


class StepIn(BaseModel):
    type: Literal["step"]
    order: Annotated[int, Field(ge=1)]
    state: Annotated[str, Field(max_length=255)]
    action: Annotated[str, Field(max_length=255)]
    target: Annotated[str, Field(max_length=255)] = ""
    phase: Literal["walk", "exception", "cleanup"] = "walk"
    passed: bool
    seconds: Annotated[float, Field(ge=0)] = 0.0
    message: str = ""
    started_at: datetime | None = None


class EventsIn(BaseModel):
    attempt: Annotated[int, Field(ge=1)]
    first: Annotated[int, Field(ge=1)]
    events: Annotated[list[StepIn], Field(max_length=500)]


class ReceivedOut(BaseModel):
    last: int
