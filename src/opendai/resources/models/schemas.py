"""Models as clients of /ai write and read them."""

from pydantic import Field

from opendai.wire.inputs import Input, Name, Output, Timestamp, Whole


class ModelIn(Input):
    name: Name
    group_name: Name = Field(alias="group")
    agent_id: Whole | None = Field(None, alias="agent")
    document: str | None = Field(None, alias="modeljson")


class ModelPatch(Input):
    """The fields that may change; a field that is left out or null stays as it is."""

    name: Name | None = None
    group_name: Name | None = Field(None, alias="group")
    agent_id: Whole | None = Field(None, alias="agent")
    document: str | None = Field(None, alias="modeljson")


class ModelOut(Output):
    id: int
    uuid: str = Field(serialization_alias="modeluuid")
    name: str
    group_name: str = Field(serialization_alias="group")
    agent_id: int | None = Field(serialization_alias="agent")
    created_at: Timestamp = Field(serialization_alias="created")
    updated_at: Timestamp = Field(serialization_alias="updated")
    document: str = Field(serialization_alias="modeljson")
