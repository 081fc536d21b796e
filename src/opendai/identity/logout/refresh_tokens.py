"""Logging out by a refresh token, as Keycloak's clients do it."""

from collections.abc import Mapping

from fastapi import Request

from opendai.auth.audit import Origin
from opendai.database import Database
from opendai.identity.browser.sessions import end_with_browser_session
from opendai.identity.clients import client_asking
from opendai.identity.requests import GrantRefused
from opendai.parts import parts_of


def end_login_of_refresh_token(request: Request, database: Database, fields: Mapping[str, str]) -> None:
    """End the login, and its browser session with all other logins; raises GrantRefused."""
    with database.reading() as session:
        client = client_asking(session, request, fields)
    if "refresh_token" not in fields:
        raise GrantRefused("invalid_request", "Missing parameter: refresh_token")
    token = parts_of(request).refresh_tokens.read(fields["refresh_token"], client)
    if token is None:
        raise GrantRefused("invalid_grant", "Invalid refresh token")
    with database.writing() as session:
        end_with_browser_session(session, token.login_id, Origin.of(request))
