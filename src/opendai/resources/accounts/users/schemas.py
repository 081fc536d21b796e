"""Users as clients of /ai write and read them."""

from typing import Annotated, Literal

from pydantic import Field

from opendai.wire.inputs import Input, Line, Name, Output, Password

ROLES = ("None", "User", "Admin")

Role = Literal["None", "User", "Admin"]
GroupNames = Annotated[list[Line], Field(max_length=100)]


class UserPatch(Input):
    """The fields that may change; a field that is left out or null stays as it is. `groups` replaces all groups."""

    username: Name | None = None
    role: Role | None = None
    groups: GroupNames | None = None
    password: Password | None = None
    hide_welcome_popup: bool | None = None


class UserIn(UserPatch):
    """Only the username is required. A user without a password cannot log in until one is set."""

    username: Name


class WelcomePopupIn(Input):
    hide_welcome_popup: bool


class MembershipOut(Output):
    id: int
    name: str


class UserOut(Output):
    id: int
    username: str
    role: str
    groups: list[MembershipOut]
    hide_welcome_popup: bool
