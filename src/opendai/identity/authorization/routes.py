"""The authorization endpoint, and the form of the login page."""

from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.addresses import client_address
from opendai.auth.audit import Origin
from opendai.auth.logins import log_in
from opendai.database import Database
from opendai.errors import Invalid, TooMany
from opendai.identity.authorization.demands import NAMES, Demand, Misdirected, SentBack, read_demand
from opendai.identity.authorization.login_page import PURPOSE, show_login
from opendai.identity.browser import cookies, pages
from opendai.identity.browser.forms import LARGEST, FieldsDep, describe_page_form, open_form
from opendai.identity.browser.sessions import (
    Browser,
    begin_browser_session,
    find_browser,
    lock_browser_session,
)
from opendai.identity.clients import lock_client
from opendai.identity.parameters import Parameters, read_parameters
from opendai.identity.realms import Realm, RealmDep
from opendai.identity.requests import ENDPOINTS
from opendai.identity.token.codes import SECONDS, make_code
from opendai.parts import Parts, PartsDep
from opendai.wire.inputs import Line, Password
from opendai.wire.routing import Router

_WRONG = "The username or the password is wrong."
_TITLE = "You cannot log in here"
_PAGE: dict[str, Any] = {"content": {"text/html": {"schema": {"type": "string"}}}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The login page."},
    303: {"description": "Back to the program, with a code or an error."},
    400: {"description": "A page that explains why the login is not possible.", **_PAGE},
}
_line, _password = TypeAdapter(Line), TypeAdapter(Password)

router = Router(tags=["OpenID Connect"])


@router.get(
    f"{ENDPOINTS}/auth",
    response_class=HTMLResponse,
    openapi_extra={
        "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}} for name in NAMES]
    },
    responses=_ANSWERS,
)
def authorize(request: Request, realm: RealmDep, parts: PartsDep) -> Response:
    """Let a person log in and send the browser back with a code. PKCE with S256 is required."""
    parameters = read_parameters(request.query_params.multi_items(), NAMES)
    try:
        with parts.database.reading() as session:
            demand = read_demand(session, parameters)
            browser = find_browser(session, request)
        if browser is not None and demand.is_met_by(browser):
            location = _go_on(parts.database, realm, demand, browser)
            if location is not None:
                return pages.send_to(location)
        return _ask(request, realm, parts, parameters, demand)
    except SentBack as refusal:
        return _send_back(realm, refusal)
    except Invalid as problem:
        return pages.show_sentence(_TITLE, problem.message, status=400)


@router.post(
    "/realms/{realm}/login-actions/authenticate",
    response_class=HTMLResponse,
    openapi_extra=describe_page_form("username", "password"),
    max_body_size=LARGEST,
    responses={
        **_ANSWERS,
        200: {"description": "The login page again, because the login failed."},
        429: {"description": "Too many logins are waiting; Retry-After says when to try again.", **_PAGE},
    },
)
async def submit_login_form(
    request: Request, realm: RealmDep, parts: PartsDep, fields: FieldsDep
) -> Response:
    """Take the form of the login page: log the person in, and send the browser back with a code."""
    try:
        try:
            return await parts.passwords.in_turn(_try_password, request, realm, parts, fields)
        except TooMany as problem:
            again = await run_in_threadpool(_show_again, request, realm, parts, fields, problem.message, 429)
            again.headers["Retry-After"] = str(problem.retry_after)
            return again
    except SentBack as refusal:
        return _send_back(realm, refusal)
    except Invalid as problem:
        return pages.show_sentence(_TITLE, problem.message, status=400)


def _try_password(request: Request, realm: Realm, parts: Parts, fields: dict[str, str]) -> Response:
    _, demand = _reopened(request, parts, fields)
    user = _find_user(request, parts, fields)
    answer = _begin(request, realm, parts, demand=demand, user=user) if user else None
    return answer or _show_again(request, realm, parts, fields, _WRONG, 200)


def _show_again(
    request: Request, realm: Realm, parts: Parts, fields: dict[str, str], problem: str, status: int
) -> Response:
    parameters, demand = _reopened(request, parts, fields)
    username = fields.get("username", "")
    return show_login(
        request,
        realm,
        parts.secret_key,
        parameters,
        demand,
        username=username,
        problem=problem,
        status=status,
    )


def _reopened(request: Request, parts: Parts, fields: dict[str, str]) -> tuple[Parameters, Demand]:
    """The request that the page was shown for. The client is looked up again: it may have been deleted."""
    values = open_form(request, fields, purpose=PURPOSE, secret_key=parts.secret_key)
    parameters = Parameters(values)
    with parts.database.reading() as session:
        return parameters, read_demand(session, parameters)


def _ask(request: Request, realm: Realm, parts: Parts, parameters: Parameters, demand: Demand) -> Response:
    if demand.is_silent:
        raise SentBack(demand.address, "login_required", "The person must log in.")
    return show_login(request, realm, parts.secret_key, parameters, demand, username=demand.login_hint)


def _find_user(request: Request, parts: Parts, fields: dict[str, str]) -> tables.User | None:
    username, password = fields.get("username", ""), fields.get("password", "")
    try:
        _line.validate_python(username), _password.validate_python(password)
    except ValidationError:
        # No account has such a name or password, and PostgreSQL refuses NUL.
        return None
    address = client_address(request)
    return log_in(parts.database, parts.passwords, username, password, address=address)


def _begin(
    request: Request, realm: Realm, parts: Parts, *, demand: Demand, user: tables.User
) -> Response | None:
    """Log the person in and send the browser back; None if the person was deleted in the meantime."""
    lifetime = parts.settings.login_seconds
    with parts.database.writing() as session:
        earlier = find_browser(session, request)
        origin = Origin.of(request)
        begun = begin_browser_session(session, user, earlier, lifetime=lifetime, origin=origin)
        if begun is None:
            return None
        browser_session, cookie = begun
        location = _with_code(session, realm, demand, browser_session)
    response = pages.send_to(location)
    cookies.give_cookie(response, realm, cookies.SESSION, cookie, seconds=lifetime)
    return response


def _go_on(database: Database, realm: Realm, demand: Demand, browser: Browser) -> str | None:
    """The address for a browser that is logged in already; None if its session ended a moment ago."""
    with database.writing() as session:
        row = lock_browser_session(session, browser)
        return _with_code(session, realm, demand, row) if row else None


def _with_code(session: Session, realm: Realm, demand: Demand, browser_session: tables.BrowserSession) -> str:
    # The lock keeps the client until the code that points at it is committed.
    if not lock_client(session, demand.client):
        raise Misdirected("The program that sent you here has been deleted.")
    code = make_code(
        session,
        client=demand.client,
        browser_session=browser_session,
        redirect_uri=demand.address.uri,
        challenge=demand.challenge,
        nonce=demand.nonce,
        scope=demand.scope,
        lifetime=SECONDS,
    )
    return demand.address.carrying({"code": code, "session_state": browser_session.id}, issuer=realm.url)


def _send_back(realm: Realm, refusal: SentBack) -> Response:
    given = {"error": refusal.code, "error_description": refusal.message}
    return pages.send_to(refusal.address.carrying(given, issuer=realm.url))
