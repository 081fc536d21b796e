"""Programs through which people log in, by code and by refresh token."""

import base64
import hashlib
import json
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from opendai import tables
from opendai.api.server import Server
from opendai.auth.logins import hash_secret
from opendai.database import Database, database_clock
from opendai.identity.token.codes import make_code
from tests.conftest import Person
from tests.inprocess import TestClient

OPENID = "/auth/realms/eggplant/protocol/openid-connect"
TOKEN = f"{OPENID}/token"
CALLBACK = "https://portal.example/callback"
VERIFIER = "a-verifier-of-the-unreserved-characters-.~_0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True)
class Portal:
    """An API client, with a secret or without, and the person who logs in through it."""

    client: TestClient
    database: Database
    id: int
    fields: dict[str, str]
    person: Person

    def ask(self, path: str, **fields: str) -> Any:
        return self.client.post(f"{OPENID}/{path}", data={**self.fields, **fields})

    def grant(self, grant_type: str, **fields: str) -> Any:
        return self.ask("token", grant_type=grant_type, **fields)

    def code(self, *, browser_session: str | None = None, lifetime: int = 60, **fields: Any) -> str:
        """A code as the login page makes one."""
        with self.database.writing() as session:
            given = {"redirect_uri": CALLBACK, "challenge": CHALLENGE, "nonce": None, "scope": ""}
            return make_code(
                session,
                client=session.get_one(tables.ApiClient, self.id),
                browser_session=session.get_one(
                    tables.BrowserSession, browser_session or begin_browser_session(session, self.person.id)
                ),
                lifetime=lifetime,
                **{**given, **fields},
            )

    def exchange(self, code: str, **fields: str) -> Any:
        given = {"code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.grant("authorization_code", **{**given, **fields})

    def log_in(self, **fields: Any) -> dict[str, Any]:
        response = self.exchange(self.code(**fields))
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def refresh(self, token: str, **fields: str) -> Any:
        return self.grant("refresh_token", refresh_token=token, **fields)

    def is_accepted(self, answer: dict[str, Any]) -> bool:
        """Whether the access token of an answer opens anything."""
        response = self.client.get("/ai/models", headers=bearer(answer["access_token"]))
        assert response.status_code in {200, 401}
        return response.status_code == 200

    def logins(self) -> list[tables.Login]:
        with self.database.reading() as session:
            return list(session.scalars(select(tables.Login).where(tables.Login.client_id == self.id)))


def make_portal(
    app: Server,
    client: TestClient,
    person: Person,
    *,
    name: str = "portal",
    role: str = "login",
    grants: tuple[str, ...] = ("authorization_code", "refresh_token"),
    is_public: bool = True,
) -> Portal:
    secret = secrets.token_urlsafe(32)
    database: Database = app.state.parts.database
    with database.writing() as session:
        row = tables.ApiClient(
            client_id=f"{name}-id",
            name=name,
            role=role,
            grants=list(grants),
            redirect_uris=[CALLBACK],
            secret_sha256=None if is_public else hash_secret(secret),
        )
        session.add(row)
        session.flush()
        fields = {"client_id": row.client_id} | ({} if is_public else {"client_secret": secret})
        return Portal(client, database, row.id, fields, person)


def begin_browser_session(session: Any, user_id: int, *, lifetime: int = 36_000) -> str:
    now = session.scalar(select(database_clock()))
    row = tables.BrowserSession(
        id=str(uuid.uuid4()),
        user_id=user_id,
        cookie_sha256=hash_secret(secrets.token_urlsafe(32)),
        authenticated=now,
        expires=now + lifetime,
    )
    session.add(row)
    session.flush()
    return row.id


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a token, whoever signed it."""
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return claims
