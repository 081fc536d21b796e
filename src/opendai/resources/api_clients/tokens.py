"""A token for an API client by one JSON body, as the public API v2 has it."""

from typing import Annotated

from fastapi import Response
from pydantic import Field

from opendai.auth.logins import find_client, token_for_client
from opendai.errors import Unauthorized
from opendai.parts import DatabaseDep, TokensDep
from opendai.wire.inputs import Input, Line, Output, Password
from opendai.wire.routing import Router

_LIFETIME_SECONDS = 600


class ClientCredentialsIn(Input):
    client_id: Annotated[Line, Field(min_length=1)]
    client_secret: Annotated[Password, Field(min_length=1)]


class ClientTokenOut(Output):
    access_token: str
    expires_in: int


router = Router(tags=["Auth"])


@router.post(
    "/auth",
    max_body_size=16_384,
    responses={401: {"description": "There is no such API client, or the secret is wrong."}},
)
def create_client_token(
    response: Response, database: DatabaseDep, tokens: TokensDep, given: ClientCredentialsIn
) -> ClientTokenOut:
    """A token for an API client, by its id and secret."""
    with database.reading() as session:
        client = find_client(session, given.client_id, given.client_secret)
    if client is None or "client_credentials" not in client.grants:
        raise Unauthorized("The client id or the client secret is wrong.")
    response.headers["Cache-Control"] = "no-store"
    token, _ = token_for_client(tokens, client, lifetime=_LIFETIME_SECONDS)
    return ClientTokenOut(access_token=token, expires_in=_LIFETIME_SECONDS)
