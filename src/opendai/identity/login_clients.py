"""The programs that let people log in here."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from opendai.tables import ApiClient


def find_login_client(session: Session, client_id: str) -> ApiClient | None:
    """The client of this id, if it lets people log in and was not revoked."""
    client = session.scalar(
        select(ApiClient).where(ApiClient.client_id == client_id, ApiClient.revoked_at.is_(None))
    )
    return client if client is not None and "authorization_code" in client.grants else None
