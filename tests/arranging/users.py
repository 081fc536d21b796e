"""Users as tests log them in and list them."""

from typing import Any

from sqlalchemy import select

from opendai import tables
from opendai.database import Database
from tests.inprocess import TestClient

REFUSED = {"message": "This needs an administrator's rights."}
FRESH_PASSWORD = "a fresh and long one"


def log_in(client: TestClient, username: str, password: str) -> Any:
    return client.post("/ai/auth", json={"username": username, "password": password})


def bearer(response: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {response.json()['access_token']}"}


def usernames(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(tables.User.username).order_by(tables.User.id)))
