"""A program with a server of its own, as people write them with Authlib and Starlette."""

import json
from typing import Any

from authlib.integrations.starlette_client import OAuth, OAuthError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from opendai.resources.api_clients.repository import Credentials
from tests.clients_of_others.provider import Provider


class ShopApplication:
    """For one visitor at a time, whose session it keeps in memory."""

    def __init__(self, provider: Provider, credentials: Credentials, origin: str) -> None:
        self.session: dict[str, Any] = {}
        self._origin = origin
        self._client_id = credentials.client_id
        self._provider = OAuth().register(
            "opendai",
            client_id=credentials.client_id,
            client_secret=credentials.client_secret,
            server_metadata_url=provider.discovery,
            client_kwargs={"scope": "openid profile", "code_challenge_method": "S256"},
        )
        self._routes = Starlette(
            routes=[
                Route("/", self._show),
                Route("/login", self._log_in),
                Route("/back", self._come_back),
                Route("/logout", self._log_out),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._routes({**scope, "session": self.session}, receive, send)

    async def _show(self, _request: Request) -> Response:
        if "claims" not in self.session:
            return PlainTextResponse("Nobody is logged in.")
        return JSONResponse(json.loads(self.session["claims"]))

    async def _log_in(self, request: Request) -> Response:
        return await self._provider.authorize_redirect(request, f"{self._origin}/back")

    async def _come_back(self, request: Request) -> Response:
        try:
            # By itself Authlib checks the signature, the issuer and the nonce, but not whom a token is for.
            token = await self._provider.authorize_access_token(request, claims_options=self._expected())
        except OAuthError as error:
            return PlainTextResponse(f"{error.error}: {error.description}")
        info = await self._provider.userinfo(token=token)
        self.session["id_token"] = token["id_token"]
        self.session["claims"] = json.dumps({**token["userinfo"], "userinfo": info})
        return JSONResponse(json.loads(self.session["claims"]))

    async def _log_out(self, request: Request) -> Response:
        id_token = self.session.pop("id_token")
        del self.session["claims"]
        return await self._provider.logout_redirect(request, f"{self._origin}/", id_token)

    def _expected(self) -> dict[str, Any]:
        issuer = self._provider.server_metadata["issuer"]
        return {
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": self._client_id},
        }
