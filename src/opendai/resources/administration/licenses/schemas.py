"""Licenses as clients of /ai write and read them."""

from typing import Annotated

from pydantic import AliasChoices, Field

from opendai.wire.inputs import LARGEST_ID, Input, Output, Text, Whole


class LicenseIn(Input):
    serial_number: Annotated[Whole, Field(ge=1, le=LARGEST_ID)] = Field(
        validation_alias=AliasChoices("serialnumber", "serialNumber")
    )
    text: Text = Field(alias="license")
    is_eula_accepted: bool = Field(True, alias="eula_accepted")


class LicenseOut(Output):
    serial_number: int = Field(serialization_alias="serialnumber")
    text: str = Field(serialization_alias="license")
    is_eula_accepted: bool = Field(serialization_alias="eula_accepted")


class CheckedLicenseOut(Output):
    """`state` is valid, expired or malformed."""

    serial_number: int = Field(serialization_alias="serialnumber")
    state: str


class CheckedLicensesOut(Output):
    licenses: list[CheckedLicenseOut]
