"""The page that asks for a username and a password."""

from html import escape

from fastapi import Request, Response

from opendai.credentials.secrets import SecretKey
from opendai.identity.authorization.demands import Demand
from opendai.identity.browser import pages
from opendai.identity.browser.forms import FIELD, PageForm
from opendai.identity.parameters import Parameters
from opendai.identity.realms import Realm
from opendai.identity.redirects import policy_source

PURPOSE = "login"


def show_login(
    request: Request,
    realm: Realm,
    secret_key: SecretKey,
    parameters: Parameters,
    demand: Demand,
    *,
    username: str = "",
    problem: str = "",
    status: int = 200,
) -> Response:
    form = PageForm(request, parameters.values, purpose=PURPOSE, secret_key=secret_key)
    # Some browsers apply form-action to the redirect that follows the form too.
    targets = f"'self' {policy_source(demand.address.uri)}"
    body = _body(realm, form, demand.client.name, username=username, problem=problem)
    page = pages.show("Log in", body, status=status, form_targets=targets)
    form.bind(page, realm)
    return page


def _body(realm: Realm, form: PageForm, program: str, *, username: str, problem: str) -> str:
    described = ' aria-describedby="problem"' if problem else ""
    first, second = ("", " autofocus") if username else (" autofocus", "")
    return (
        f"<p>Log in to continue to {escape(program)}.</p>{pages.alert(problem)}"
        f'<form method="post" action="{escape(realm.path)}/login-actions/authenticate">'
        f"{pages.hidden(FIELD, form.field)}"
        '<label for="username">Username</label>'
        f'<input id="username" name="username" value="{escape(username)}" autocomplete="username" '
        f'autocapitalize="none" spellcheck="false" maxlength="255" required{first}{described}>'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" '
        f'maxlength="1024" required{second}{described}>'
        '<button type="submit">Log in</button></form>'
    )
