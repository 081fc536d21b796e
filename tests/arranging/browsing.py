"""A browser for the tests: it keeps cookies, fills in the forms that it is shown, and follows nothing by itself."""

import base64
import hashlib
import re
import secrets
import uuid
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy import func, select

from opendai import tables
from opendai.auth.logins import begin_login, hash_secret
from opendai.database import Database, database_clock
from tests.conftest import PASSWORD, Person
from tests.inprocess import TestClient

REALM = "/auth/realms/eggplant"
OPENID = f"{REALM}/protocol/openid-connect"
ISSUER = "http://testserver/auth/realms/eggplant"
VERIFIER = "a-verifier-of-43-characters-is-long-enough-"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
RETURN = "https://shop.example.com/back"


@dataclass(frozen=True)
class LoginClient:
    """A program that lets people log in, such as a page in a browser."""

    id: int
    client_id: str


def make_login_client(
    database: Database,
    name: str,
    *redirect_uris: str,
    grants: tuple[str, ...] = ("authorization_code", "refresh_token"),
) -> LoginClient:
    with database.writing() as session:
        row = tables.ApiClient(
            client_id=f"{name}-id",
            name=name,
            role="login",
            grants=list(grants),
            redirect_uris=list(redirect_uris),
            secret_sha256=None,
        )
        session.add(row)
        session.flush()
        return LoginClient(row.id, row.client_id)


class Browser:
    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.forget()

    def forget(self) -> None:
        """Lose every cookie."""
        self.client.cookies.clear()

    @property
    def session_cookie(self) -> str | None:
        return self.client.cookies.get("OPENDAI_SESSION")

    def be_logged_in(self, database: Database, person: Person) -> str:
        """Skip the page: the id of a session that is there already."""
        cookie = secrets.token_urlsafe(32)
        with database.writing() as session:
            now = session.scalars(select(database_clock())).one()
            row = tables.BrowserSession(
                id=str(uuid.uuid4()),
                user_id=person.id,
                cookie_sha256=hash_secret(cookie),
                authenticated=now,
                expires=now + 600,
            )
            session.add(row)
        self.client.cookies.set("OPENDAI_SESSION", cookie, path=REALM)
        return row.id

    def authorize(self, without: tuple[str, ...] = (), **changes: Any) -> Any:
        """Come from a program that wants somebody to log in."""
        parameters = {
            "client_id": "shop-id",
            "redirect_uri": RETURN,
            "response_type": "code",
            "scope": "openid profile",
            "state": "the state",
            "nonce": "the nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        kept = {name: value for name, value in parameters.items() if name not in without}
        return self.client.get(f"{OPENID}/auth", params=kept)

    def submit(self, page: Any, **entered: str) -> Any:
        """Fill in the form on a page and send it."""
        action = re.search(r'<form method="post" action="([^"]+)"', page.text)
        assert action, page.text
        return self.client.post(unescape(action[1]), data={**hidden_fields(page), **entered})

    def log_in(self, username: str = "alice", **changes: Any) -> Any:
        """Log in by the page; the answer to the form."""
        return self.submit(self.authorize(**changes), username=username, password=PASSWORD)


def hidden_fields(page: Any) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
    return {unescape(name): unescape(value) for name, value in found}


def handed_over(response: Any, *, at: str = RETURN, mode: str = "query") -> dict[str, str]:
    """The parameters that a redirect back carries; fails if it is none, or leads elsewhere."""
    assert response.status_code == 303, response.text
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    location = response.headers["location"]
    parts = urlsplit(location)
    assert location.startswith(at)
    text = parts.fragment if mode == "fragment" else parts.query
    pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def make_login(database: Database, person: Person, program: LoginClient, browser_session: str | None) -> str:
    """The login that a program gets for a code: its id."""
    with database.writing() as session:
        client = session.get(tables.ApiClient, program.id)
        login = begin_login(session, session.get_one(tables.User, person.id), lifetime=600, client=client)
        assert login
        login.browser_session_id = browser_session
        return login.id


def count(database: Database, table: type[Any]) -> int:
    with database.reading() as session:
        return session.scalars(select(func.count()).select_from(table)).one()


def is_error_page(response: Any) -> bool:
    assert response.status_code == 400, response.headers
    assert "location" not in response.headers
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>You cannot log in here</h1>" in response.text
    return True
