"""Logging out of a browser session, by a program that holds a refresh token."""

from fastapi import APIRouter, Request
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.audit import Actor, Audit, Origin
from opendai.database import DatabaseDep
from opendai.resources.browser_sessions import end_browser_session
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
        end_with_browser_session(session, token.login_id, Origin.of(request))


def end_with_browser_session(session: Session, login_id: str, origin: Origin) -> None:
    """End a login and every other one from the same browser session; nothing if it has ended already."""
    login, user = tables.Login, tables.User
    found = session.execute(
        select(login.browser_session_id, user.id, user.username)
        .join(user, user.id == login.user_id)
        .where(login.id == login_id)
    ).one_or_none()
    if found is None:
        return
    if found.browser_session_id is not None:
        end_browser_session(session, found.browser_session_id, origin)
    else:
        session.execute(delete(login).where(login.id == login_id))
        Audit(session, Actor("user", found.username, origin)).record("logout", f"user:{found.id}")
