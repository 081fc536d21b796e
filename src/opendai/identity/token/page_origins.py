"""Pages in a browser that may read the answers of the token endpoint: those where a program has people sent back to."""

from collections.abc import Mapping

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from opendai.database import Database
from opendai.identity.clients import find_login_client
from opendai.identity.redirects import is_origin_of


async def headers_for_page(request: Request, database: Database, fields: Mapping[str, str]) -> dict[str, str]:
    """What lets the page that asks read the answer, if it is one of the client's."""
    origin = request.headers.get("origin")
    if not origin or "client_id" not in fields:
        return {}
    return await run_in_threadpool(_headers_for, origin, database, fields["client_id"])


def _headers_for(origin: str, database: Database, client_id: str) -> dict[str, str]:
    with database.reading() as session:
        client = find_login_client(session, client_id)
    if client is None or not is_origin_of(client, origin):
        return {}
    # Keycloak's adapter asks with credentials, which a browser allows only where the answer does. No cookie
    # counts here, so nothing is given away.
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
