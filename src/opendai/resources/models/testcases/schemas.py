"""Test cases as clients of /ai write and read them."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field

from opendai.wire.inputs import Input, Line, Name, Output, Text


def _comma_joined(value: object) -> object:
    is_list_of_text = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return ",".join(value) if isinstance(value, list) and is_list_of_text else value


def _joined_ids(ids: Iterable[int]) -> str:
    return ",".join(map(str, ids))


# Clients send them as one text or as a list.
Tags = Annotated[Text, BeforeValidator(_comma_joined)]
CountText = Annotated[str, BeforeValidator(str)]
IdsText = Annotated[str, BeforeValidator(_joined_ids)]


class TestCasePatch(Input):
    """The fields that may change; a field that is left out or null stays as it is.

    The vendor's own client has other names for some fields than its page. Where both are sent, the page's count.
    """

    name: Name | None = Field(None, alias="testcaseName")
    text: Text | None = Field(None, alias="testcase")
    tags: Tags | None = Field(None, validation_alias=AliasChoices("testcaseTags", "tags"))
    description: Text | None = Field(
        None, validation_alias=AliasChoices("testcaseDescription", "description")
    )
    origin: Line | None = Field(None, validation_alias=AliasChoices("testcaseOrigin", "origin"))
    external_id: Line | None = Field(None, alias="testcaseExternalID")


class TestCaseIn(TestCasePatch):
    """A new test case: its name, and its text in the test-case language."""

    name: Name = Field(alias="testcaseName")
    text: Text = Field(alias="testcase")


class TestCaseOut(Output):
    """`tests` and `fails` count its runs that ended; `testIds` are the newest of them, at most 100."""

    name: str = Field(serialization_alias="testcaseName")
    text: str = Field(serialization_alias="testcase")
    id: int
    runs: CountText = Field(serialization_alias="tests")
    fails: CountText
    tags: str = Field(serialization_alias="testcaseTags")
    description: str = Field(serialization_alias="testcaseDescription")
    origin: str = Field(serialization_alias="testcaseOrigin")
    external_id: str = Field(serialization_alias="testcaseExternalID")
    run_ids: IdsText = Field(serialization_alias="testIds")
    model_uuid: str = Field(serialization_alias="modelId")
    model_name: str = Field(serialization_alias="modelName")
