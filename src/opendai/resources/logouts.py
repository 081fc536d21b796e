"""Logging out of a browser session, by a program that holds a refresh token."""

from fastapi import APIRouter, Request
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.database import DatabaseDep
from opendai.resources.grants.credentials import CLIENT_FIELDS, authenticate
from opendai.resources.grants.requests import (
    ENDPOINTS,
    IN_THIS_REALM,
    LARGEST_FORM,
    Fields,
    GrantRefused,
    form_page,
)

router = APIRouter(tags=["OpenID Connect"])


@router.post(
    f"{ENDPOINTS}/logout",
    dependencies=[IN_THIS_REALM],
    openapi_extra=form_page("refresh_token", *CLIENT_FIELDS, required=("refresh_token",)),
    max_body_size=LARGEST_FORM,
    status_code=204,
    responses={401: {"description": "The credentials of the client are wrong."}},
)
def end_login(request: Request, database: DatabaseDep, fields: Fields) -> None:
    """End the login of a refresh token, and the browser session that it came from with all its logins."""
    with database.reading() as session:
        client = authenticate(session, request, fields)
    if "refresh_token" not in fields:
        raise GrantRefused("invalid_request", "Missing parameter: refresh_token")
    token = request.app.state.refresh_tokens.read(fields["refresh_token"], client)
    if token is None:
        raise GrantRefused("invalid_grant", "Invalid refresh token")
    with database.writing() as session:
        end_with_browser_session(session, token.login_id)


def end_with_browser_session(session: Session, login_id: str) -> None:
    """End a login and every other one from the same browser session; nothing if it has ended already."""
    login, browser_session = tables.Login, tables.BrowserSession
    origin = session.scalar(select(login.browser_session_id).where(login.id == login_id))
    if origin is not None:
        session.execute(delete(browser_session).where(browser_session.id == origin))
    session.execute(delete(login).where(login.id == login_id))
