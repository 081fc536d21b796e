"""The logout endpoint: for browsers that a program sends, and for programs that hold a refresh token."""

from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from opendai.identity.browser.forms import LARGEST, FieldsDep, describe_page_form
from opendai.identity.clients import CLIENT_FIELDS
from opendai.identity.logout.refresh_tokens import end_login_of_refresh_token
from opendai.identity.logout.rp_initiated import NAMES, log_browser_out, log_out_after_question
from opendai.identity.parameters import read_parameters
from opendai.identity.realms import RealmDep
from opendai.identity.requests import ENDPOINTS, LARGEST_FORM, Fields, describe_form
from opendai.parts import PartsDep
from opendai.wire.routing import Router

_OF_BROWSERS = {"id_token_hint", "post_logout_redirect_uri"}
_PAGE: dict[str, Any] = {"content": {"text/html": {"schema": {"type": "string"}}}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "A page that asks the person, or confirms the logout."},
    303: {"description": "Back to the program."},
    400: {"description": "A page that explains why the logout is not possible.", **_PAGE},
}

router = Router(tags=["OpenID Connect"])


@router.post(
    f"{ENDPOINTS}/logout",
    openapi_extra=describe_form("refresh_token", *dict.fromkeys((*CLIENT_FIELDS, *NAMES))),
    max_body_size=LARGEST_FORM,
    status_code=204,
    responses={
        200: {"description": "To a browser: a page that asks the person, or confirms the logout."},
        303: {"description": "Back to the program that sent the browser."},
        401: {"description": "The credentials of the client are wrong."},
    },
)
def end_login(request: Request, realm: RealmDep, parts: PartsDep, fields: Fields) -> Response:
    """End the login of a refresh token, and the browser session that it came from with all its logins.

    A form with an ID token or an address to return to comes from a browser, and is answered as by GET.
    """
    if "refresh_token" not in fields and fields.keys() & _OF_BROWSERS:
        return log_browser_out(request, realm, parts, read_parameters(fields.items(), NAMES))
    end_login_of_refresh_token(request, realm, parts, fields)
    return Response(status_code=204)


@router.get(
    f"{ENDPOINTS}/logout",
    response_class=HTMLResponse,
    openapi_extra={
        "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}} for name in NAMES]
    },
    responses=_ANSWERS,
)
def show_logout(request: Request, realm: RealmDep, parts: PartsDep) -> Response:
    """Log the browser out and send it back to a registered address, if the request names one."""
    parameters = read_parameters(request.query_params.multi_items(), NAMES)
    return log_browser_out(request, realm, parts, parameters)


@router.post(
    f"{ENDPOINTS}/logout/logout-confirm",
    response_class=HTMLResponse,
    openapi_extra=describe_page_form(),
    max_body_size=LARGEST,
    responses=_ANSWERS,
)
def confirm_logout(request: Request, realm: RealmDep, parts: PartsDep, fields: FieldsDep) -> Response:
    """Take the form of the page that asks: log the browser out."""
    return log_out_after_question(request, parts, fields)
