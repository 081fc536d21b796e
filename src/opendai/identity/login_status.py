"""The page that a program's own page embeds to learn whether its person is still logged in here.

The messages are those of Keycloak's adapter and of OpenID Connect Session Management.
"""

from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from opendai.errors import Conflict, Forbidden
from opendai.identity.browser import pages
from opendai.identity.browser.sessions import find_browser, has_login
from opendai.identity.clients import find_login_client
from opendai.identity.parameters import read_parameters
from opendai.identity.realms import RealmDep
from opendai.identity.redirects import is_origin_of
from opendai.identity.requests import ENDPOINTS
from opendai.parts import SessionDep
from opendai.wire.routing import Router

_NAMES = ("client_id", "origin", "session_state")
# The embedding page sends "client session"; the session is empty while nobody is logged in.
_ASK = """
addEventListener("message", async (event) => {
  if (event.source !== parent || typeof event.data !== "string") return;
  const space = event.data.lastIndexOf(" ");
  const question = new URLSearchParams({
    client_id: event.data.slice(0, Math.max(space, 0)),
    origin: event.origin,
    session_state: event.data.slice(space + 1),
  });
  let answer = "error";
  try {
    const response = await fetch("login-status-iframe.html/init?" + question, { cache: "no-store" });
    if (response.status === 204) answer = "unchanged";
    if (response.status === 409) answer = "changed";
  } catch {
    // The server is out of reach, and the answer is "error" already.
  }
  event.source.postMessage(answer, event.origin);
});
"""
_NO_BODY: dict[str, Any] = {"status_code": 204, "response_class": Response}

router = Router(tags=["OpenID Connect"])


@router.get(f"{ENDPOINTS}/login-status-iframe.html", response_class=HTMLResponse)
async def show_login_status(realm: RealmDep) -> Response:
    """A page for a frame. Sent "client session", it answers "unchanged", "changed" or "error"."""
    return pages.embed(_ASK)


@router.get(
    f"{ENDPOINTS}/login-status-iframe.html/init",
    **_NO_BODY,
    openapi_extra={
        "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}} for name in _NAMES]
    },
    responses={
        204: {"description": "The page may ask, and nothing has changed."},
        403: {"description": "The page does not belong to the client."},
        409: {"description": "The browser has another session now, or none."},
    },
)
def check_login_status(request: Request, realm: RealmDep, session: SessionDep) -> Response:
    """Check that the origin belongs to the client and, with `session_state`, that the session is unchanged."""
    pairs = request.query_params.multi_items()
    parameters = read_parameters(pairs, _NAMES)
    client_id, origin = parameters.find("client_id"), parameters.find("origin")
    client = find_login_client(session, client_id) if client_id else None
    if parameters.refused or client is None or origin is None or not is_origin_of(client, origin):
        raise Forbidden("The origin does not belong to the client.")
    # An empty value asks whether still nobody is logged in.
    if "session_state" in dict(pairs):
        _compare(session, request, parameters.find("session_state"))
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


def _compare(session: Session, request: Request, state: str | None) -> None:
    """Raises Conflict unless the browser has this session. `state` is the id of a login or of a browser session."""
    browser = find_browser(session, request)
    if browser is None or state is None:
        is_unchanged = browser is None and state is None
    else:
        is_unchanged = state == browser.id or has_login(session, browser, state)
    if not is_unchanged:
        raise Conflict("The session has changed.")
