"""Logging out by a refresh token, as Keycloak's clients do it."""

from collections.abc import Mapping

from fastapi import Request

from opendai.auth.audit import Origin
from opendai.identity.browser.sessions import end_with_browser_session
from opendai.identity.clients import client_asking
from opendai.identity.realms import Realm
from opendai.identity.requests import GrantRefused
from opendai.parts import Parts


def end_login_of_refresh_token(
    request: Request, realm: Realm, parts: Parts, fields: Mapping[str, str]
) -> None:
    """End the login, and its browser session with all other logins; raises GrantRefused."""
    with parts.database.reading() as session:
        client = client_asking(session, request, realm, fields)
    if "refresh_token" not in fields:
        raise GrantRefused("invalid_request", "Missing parameter: refresh_token")
    token = parts.refresh_tokens.read(fields["refresh_token"], client)
    if token is None:
        raise GrantRefused("invalid_grant", "Invalid refresh token")
    with parts.database.writing() as session:
        end_with_browser_session(session, token.login_id, Origin.of(request))
