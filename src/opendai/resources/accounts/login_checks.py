"""Checking a person's password for a login service, as DAI 5.2 publishes it. A setting switches it on."""

from functools import partial
from typing import Annotated

from pydantic import BeforeValidator

from opendai import tables
from opendai.auth.callers import Admin
from opendai.auth.logins import log_in
from opendai.errors import NotFound
from opendai.parts import PartsDep
from opendai.resources.accounts.sessions import TOO_MANY, LoginIn
from opendai.resources.accounts.users.schemas import MembershipOut
from opendai.wire.inputs import Output, form_or_json, form_or_json_page
from opendai.wire.routing import Router


class CheckedUserOut(Output):
    """The published user, whose id is text here."""

    id: Annotated[str, BeforeValidator(str)]
    username: str
    role: str
    groups: list[MembershipOut]
    hide_welcome_popup: bool


router = Router(tags=["Auth"])


@router.post(
    "/internal/auth",
    openapi_extra=form_or_json_page(LoginIn),
    responses={
        404: {"description": "The username or the password is wrong, or the operation is off."},
        429: TOO_MANY,
    },
)
async def check_login(
    caller: Admin, parts: PartsDep, given: Annotated[LoginIn, form_or_json(LoginIn)]
) -> CheckedUserOut:
    """The user with this name and password, without a token; 404 if one is wrong or the operation is off."""
    if not parts.settings.internal_auth:
        raise NotFound("There is nothing at this address.")
    # Counted by account alone, because every login comes from the address of the login service.
    check = partial(log_in, parts.database, parts.passwords, given.username, given.password, address=None)
    user: tables.User | None = await parts.passwords.in_turn(check)
    if user is None:
        raise NotFound("The username or the password is wrong.")
    return CheckedUserOut.model_validate(user)
