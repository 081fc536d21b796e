"""A real server as programs that are not ours see it: a provider of logins for Alice, at an address of its own."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from playwright.sync_api import Page
from sqlalchemy import delete

from opendai import tables
from opendai.auth.audit import Actor, Audit
from opendai.resources.accounts.users.repository import UserRepository
from opendai.resources.api_clients.repository import ApiClientRepository, Credentials
from opendai.resources.api_clients.schemas import ApiClientIn
from tests.arranging.browsing import hidden_fields
from tests.conftest import PASSWORD
from tests.faults.processes import Server


@dataclass(frozen=True)
class Provider:
    server: Server

    @property
    def url(self) -> str:
        """The setting of Keycloak's own clients."""
        return f"{self.server.url}/auth"

    @property
    def realm(self) -> str:
        """The setting of all other clients, and the issuer."""
        return f"{self.url}/realms/eggplant"

    @property
    def discovery(self) -> str:
        return f"{self.realm}/.well-known/openid-configuration"

    @property
    def openid(self) -> str:
        return f"{self.realm}/protocol/openid-connect"

    def add_person(self, name: str, password_hash: str) -> None:
        with self.server.database.writing() as session:
            audit = Audit(session, Actor.of_command())
            UserRepository(session).add(name, password_hash, audit, role="User", groups=[])

    def add_client(self, name: str, **given: Any) -> Credentials:
        with self.server.database.writing() as session:
            audit = Audit(session, Actor.of_command())
            return ApiClientRepository(session).add(ApiClientIn(name=name, **given), audit)[1]

    def log_everybody_out(self) -> None:
        """As an administrator would who ends the sessions."""
        with self.server.database.writing() as session:
            session.execute(delete(tables.BrowserSession))

    def log_in(self, address: str, *, username: str = "alice") -> str:
        """Where the browser is sent that comes to this address and has its form filled in."""
        with httpx.Client(base_url=self.server.url, timeout=10) as browser:
            page = browser.get(address)
            action = re.search(r'<form method="post" action="([^"]+)"', page.text)
            assert action, page.text
            entered = {**hidden_fields(page), "username": username, "password": PASSWORD}
            response = browser.post(unescape(action[1]), data=entered)
        assert response.status_code == 303, response.text
        return response.headers["location"]


def fill_in_login(page: Page, *, username: str = "alice", password: str = PASSWORD) -> None:
    """Fill in the login page as a person does."""
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def parameters_of(location: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(location).query, strict_parsing=True))
