"""Cross-origin access to the token endpoint, for pages of a client's registered origins."""

from collections.abc import Mapping

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from opendai.database import Database
from opendai.identity.clients import find_login_client
from opendai.identity.redirects import is_origin_of


async def headers_for_page(request: Request, database: Database, fields: Mapping[str, str]) -> dict[str, str]:
    """The CORS headers for the page that sends the request, if its origin belongs to the client."""
    origin = request.headers.get("origin")
    if not origin or "client_id" not in fields:
        return {}
    return await run_in_threadpool(_headers_for, origin, database, fields["client_id"])


def _headers_for(origin: str, database: Database, client_id: str) -> dict[str, str]:
    with database.reading() as session:
        client = find_login_client(session, client_id)
    if client is None or not is_origin_of(client, origin):
        return {}
    # Keycloak's adapter sends credentials, and a browser shows it the answer only with the second header. This is
    # safe because the token endpoint reads no cookie.
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
