"""The answer of the token endpoint, for a program itself or for a person."""

from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel, Field

from opendai import tables
from opendai.auth.logins import id_token_for_user, token_for_client, token_for_user
from opendai.credentials.refresh_tokens import RefreshTokens
from opendai.credentials.tokens import Tokens
from opendai.identity.token.scopes import DEFAULT, has_openid
from opendai.parts import Parts
from opendai.settings import Settings


class TokenOut(BaseModel):
    """The answer by RFC 6749, with the fields of Keycloak. Fields that a grant does not have are left out."""

    access_token: str
    expires_in: int
    refresh_expires_in: int
    refresh_token: str | None = None
    token_type: str = "Bearer"  # noqa: S105 - the word that OAuth uses
    id_token: str | None = None
    not_before_policy: int = Field(0, alias="not-before-policy")
    session_state: str
    scope: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A valid login, its user, and the seconds until it ends."""

    login: tables.Login
    user: tables.User
    remaining: float
    nonce: str | None = None
    """The nonce of the authorization request, for the ID token."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Issues tokens of every kind. The settings and the login limit their lifetimes."""

    tokens: Tokens
    refresh_tokens: RefreshTokens
    settings: Settings

    @classmethod
    def of(cls, parts: Parts) -> Self:
        return cls(parts.tokens, parts.refresh_tokens, parts.settings)

    def login_seconds(self, client: tables.ApiClient) -> int:
        """The seconds after which a login through this client ends unless it is refreshed."""
        if "refresh_token" not in client.grants:
            return self.settings.access_token_seconds
        return min(self.settings.refresh_token_seconds, self.settings.login_seconds)

    def answer_client(self, client: tables.ApiClient) -> TokenOut:
        lifetime = self.settings.access_token_seconds
        token, claims = token_for_client(self.tokens, client, lifetime=lifetime, scope=DEFAULT)
        return TokenOut(
            access_token=token,
            expires_in=lifetime,
            refresh_expires_in=0,
            session_state=claims.sid,
            scope=DEFAULT,
        )

    def answer_login(self, standing: Standing, client: tables.ApiClient) -> TokenOut:
        login, user = standing.login, standing.user
        remaining = max(round(standing.remaining), 1)
        lifetime = min(self.settings.access_token_seconds, remaining)
        token, _ = token_for_user(self.tokens, user, login, lifetime=lifetime, client=client)
        answer = TokenOut(
            access_token=token,
            expires_in=lifetime,
            refresh_expires_in=0,
            session_state=login.id,
            scope=login.scope,
        )
        if "refresh_token" in client.grants:
            answer.refresh_token = self.refresh_tokens.issue(login.id, login.generation, client)
            answer.refresh_expires_in = remaining
        if has_openid(login.scope):
            answer.id_token = id_token_for_user(
                self.tokens,
                user,
                login,
                lifetime=lifetime,
                client=client,
                access_token=token,
                nonce=standing.nonce,
            )
        return answer
