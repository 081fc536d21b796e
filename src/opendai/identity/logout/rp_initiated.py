"""OpenID Connect RP-Initiated Logout: a program sends the browser here.

With an ID token the person is logged out at once; otherwise a page asks them first.
"""

from html import escape

from fastapi import Request, Response
from sqlalchemy.orm import Session

from opendai.auth.audit import Origin
from opendai.credentials.hints import Hint, find_hint
from opendai.credentials.secrets import SecretKey
from opendai.errors import Invalid
from opendai.identity.browser import pages
from opendai.identity.browser.forms import FIELD, PageForm, open_form
from opendai.identity.browser.sessions import (
    Browser,
    end_browser_session,
    end_with_browser_session,
    find_browser,
)
from opendai.identity.clients import find_login_client
from opendai.identity.parameters import Parameters
from opendai.identity.realms import Realm
from opendai.identity.redirects import is_registered, policy_source, with_parameters
from opendai.parts import Parts

NAMES = ("id_token_hint", "post_logout_redirect_uri", "client_id", "state")
_PURPOSE = "logout"
_TITLE = "You cannot log out here"


def log_out_after_question(request: Request, parts: Parts, fields: dict[str, str]) -> Response:
    """The answer to the form of the page that asks."""
    try:
        parameters = Parameters(open_form(request, fields, purpose=_PURPOSE, secret_key=parts.secret_key))
        with parts.database.reading() as session:
            target = _target(session, parameters, None)
    except Invalid as problem:
        return pages.show_sentence(_TITLE, problem.message, status=400)
    with parts.database.writing() as session:
        browser = find_browser(session, request)
        if browser is not None:
            end_browser_session(session, browser.id, Origin.of(request))
    return _said(target)


def log_browser_out(request: Request, realm: Realm, parts: Parts, parameters: Parameters) -> Response:
    """The answer to the request of a program, which may come by GET or by a form."""
    hint = find_hint(parts.keys, parameters.find("id_token_hint") or "", issuer=realm.url)
    try:
        with parts.database.reading() as session:
            target = _target(session, parameters, hint)
            browser = find_browser(session, request)
    except Invalid as problem:
        return pages.show_sentence(_TITLE, problem.message, status=400)
    if hint is None and browser is not None:
        return _ask(request, realm, parts.secret_key, parameters, target)
    if hint is not None:
        with parts.database.writing() as session:
            _end(session, hint, browser, Origin.of(request))
    return _said(target)


def _target(session: Session, parameters: Parameters, hint: Hint | None) -> str | None:
    """The registered address to return to; None if the request names no address or no client."""
    if parameters.refused - {"id_token_hint"}:
        raise Invalid("A parameter is repeated, is too long or contains control characters.")
    named, uri = parameters.find("client_id"), parameters.find("post_logout_redirect_uri")
    if hint is not None and named is not None and named != hint.client_id:
        raise Invalid("The login to end belongs to another program.")
    client_id = hint.client_id if hint is not None else named
    if uri is None or client_id is None:
        return None
    client = find_login_client(session, client_id)
    if client is None or not is_registered(client, uri):
        raise Invalid("The address to return to is not registered for this program.")
    state = parameters.find("state")
    return with_parameters(uri, {} if state is None else {"state": state}, mode="query")


def _end(session: Session, hint: Hint, browser: Browser | None, origin: Origin) -> None:
    """End the hint's login with its browser session, and this browser's session if it is the same person's."""
    end_with_browser_session(session, hint.login_id, origin, user_id=hint.user_id)
    if browser is not None and browser.user_id == hint.user_id:
        end_browser_session(session, browser.id, origin)


def _ask(
    request: Request, realm: Realm, secret_key: SecretKey, parameters: Parameters, target: str | None
) -> Response:
    kept = {name: value for name, value in parameters.values.items() if name != "id_token_hint"}
    form = PageForm(request, kept, purpose=_PURPOSE, secret_key=secret_key)
    body = (
        "<p>You are logged in with this browser.</p>"
        f'<form method="post" action="{escape(realm.path)}/protocol/openid-connect/logout/logout-confirm">'
        f'{pages.hidden(FIELD, form.field)}<button type="submit" autofocus>Log out</button></form>'
    )
    targets = f"'self' {policy_source(target)}" if target else "'self'"
    page = pages.show("Log out?", body, form_targets=targets)
    form.bind(page, realm)
    return page


def _said(target: str | None) -> Response:
    """The answer after the logout: the way back, or a page."""
    if target is None:
        return pages.show_sentence("Logged out", "You are logged out.")
    return pages.send_to(target)
