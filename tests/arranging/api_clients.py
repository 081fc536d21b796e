"""API clients as tests create them and log in with them."""

from typing import Any

from sqlalchemy import select

from opendai import tables
from opendai.database import Database
from tests.conftest import Person
from tests.inprocess import TestClient

CLIENTS = "/api_clients"
TOKENS = "/auth/realms/eggplant/protocol/openid-connect/token"
TOKEN_URL = f"http://testserver{TOKENS}"
CALLBACK = "https://app.example.com/callback"


def create(client: TestClient, admin: Person, **fields: Any) -> Any:
    return client.post(CLIENTS, headers=admin.bearer, json={"name": "Nightly", **fields})


def made(response: Any) -> Any:
    assert response.status_code in {200, 201}, response.text
    return response.json()


def grant(client: TestClient, issued: Any, **fields: str) -> Any:
    form = {"grant_type": "client_credentials", "client_id": issued["client_id"], **fields}
    return client.post(TOKENS, data={"client_secret": issued["client_secret"], **form})


def bearer(client: TestClient, issued: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {made(grant(client, issued))['access_token']}"}


def api_client_rows(database: Database) -> list[tuple[Any, ...]]:
    row = tables.ApiClient
    columns = (row.id, row.client_id, row.name, row.secret_sha256, row.generation, row.revoked_at)
    with database.reading() as session:
        return [tuple(found) for found in session.execute(select(*columns).order_by(row.id))]
