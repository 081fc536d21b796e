"""Logging out by a form: of a program that holds a refresh token, or of a browser that a program sends."""

from fastapi import Request, Response

from opendai.auth.audit import Origin
from opendai.identity.browser.sessions import end_with_browser_session
from opendai.identity.clients import CLIENT_FIELDS, client_asking
from opendai.identity.logout.pages import NAMES, log_browser_out
from opendai.identity.parameters import read_parameters
from opendai.identity.realms import RealmDep
from opendai.identity.requests import ENDPOINTS, LARGEST_FORM, Fields, GrantRefused, form_page
from opendai.parts import DatabaseDep, parts_of
from opendai.wire.routing import Router

_OF_BROWSERS = {"id_token_hint", "post_logout_redirect_uri"}

router = Router(tags=["OpenID Connect"])


@router.post(
    f"{ENDPOINTS}/logout",
    openapi_extra=form_page("refresh_token", *dict.fromkeys((*CLIENT_FIELDS, *NAMES))),
    max_body_size=LARGEST_FORM,
    status_code=204,
    responses={
        200: {"description": "To a browser: a page that asks, or says that the person is logged out."},
        303: {"description": "Back to the program that sent the browser."},
        401: {"description": "The credentials of the client are wrong."},
    },
)
def end_login(request: Request, realm: RealmDep, database: DatabaseDep, fields: Fields) -> Response:
    """End the login of a refresh token, and the browser session that it came from with all its logins.

    A browser that brings an id token, or an address to return to, is answered as by GET.
    """
    if "refresh_token" not in fields and fields.keys() & _OF_BROWSERS:
        return log_browser_out(request, realm, database, read_parameters(fields.items(), NAMES))
    with database.reading() as session:
        client = client_asking(session, request, fields)
    if "refresh_token" not in fields:
        raise GrantRefused("invalid_request", "Missing parameter: refresh_token")
    token = parts_of(request).refresh_tokens.read(fields["refresh_token"], client)
    if token is None:
        raise GrantRefused("invalid_grant", "Invalid refresh token")
    with database.writing() as session:
        end_with_browser_session(session, token.login_id, Origin.of(request))
    return Response(status_code=204)
