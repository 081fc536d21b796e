"""The answer of the token endpoint: what a program gets for itself or for a person."""

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
    """By RFC 6749, with the fields of Keycloak. What a grant does not give is left out."""

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
    """A login that is good, whose it is, and for how many seconds more."""

    login: tables.Login
    user: tables.User
    remaining: float
    nonce: str | None = None
    """What the program wants to find in the id token."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Makes tokens of every kind, each as long as the settings and the login allow."""

    tokens: Tokens
    refresh_tokens: RefreshTokens
    settings: Settings

    @classmethod
    def of(cls, parts: Parts) -> Self:
        return cls(parts.tokens, parts.refresh_tokens, parts.settings)

    def login_seconds(self, client: tables.ApiClient) -> int:
        """How long a login through this client lasts without being refreshed."""
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
