"""The codes that a browser brings from a login to a program, which exchanges them for tokens once."""

import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from opendai.auth.logins import hash_secret
from opendai.database import database_clock
from opendai.tables import ApiClient, AuthorizationCode, BrowserSession


def make_code(
    session: Session,
    *,
    client: ApiClient,
    browser_session: BrowserSession,
    redirect_uri: str,
    challenge: str,
    nonce: str | None,
    scope: str,
    lifetime: int,
) -> str:
    """A new code, of which only the hash is kept."""
    code = secrets.token_urlsafe(32)
    session.add(
        AuthorizationCode(
            code_sha256=hash_secret(code),
            client_id=client.id,
            browser_session_id=browser_session.id,
            redirect_uri=redirect_uri,
            challenge=challenge,
            nonce=nonce,
            scope=scope,
            expires=session.scalars(select(database_clock())).one() + lifetime,
        )
    )
    return code
