"""Logging in by the page: what a program may ask for, where a browser is sent, and what it takes with it."""

import base64
import contextlib
import hashlib
import re
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update
from starlette.routing import Mount
from starlette.testclient import TestClient

from opendai import tables
from opendai.auth.logins import begin_login, hash_secret
from opendai.auth.passwords import Passwords
from opendai.database import Database, database_clock
from opendai.resources import page_forms
from opendai.tables.columns import now
from tests.conftest import PASSWORD, Person
from tests.resources.browsing import (
    CHALLENGE,
    ISSUER,
    OPENID,
    REALM,
    RETURN,
    Browser,
    LoginClient,
    handed_over,
    hidden_fields,
    make_login_client,
)

AUTHENTICATE = f"{REALM}/login-actions/authenticate"
LONG = "x" * 10_000


def _count(database: Database, table) -> int:
    with database.reading() as session:
        return session.scalars(select(func.count()).select_from(table)).one()


def _is_error_page(response) -> bool:
    assert response.status_code == 400, response.headers
    assert "location" not in response.headers
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>You cannot log in here</h1>" in response.text
    return True


# The flow


def test_a_person_logs_in_and_the_browser_brings_a_code(
    browser: Browser, alice: Person, shop: LoginClient, database: Database
):
    page = browser.authorize()
    assert page.status_code == 200
    given = handed_over(browser.submit(page, username="alice", password=PASSWORD))
    code = given.pop("code")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", code)
    with database.reading() as session:
        row = session.scalars(select(tables.AuthorizationCode)).one()
        session_row = session.scalars(select(tables.BrowserSession)).one()
        assert 55 < row.expires - session.scalars(select(database_clock())).one() <= 60
        assert 35_990 < session_row.expires - session.scalars(select(database_clock())).one() <= 36_000
    assert given == {"state": "the state", "session_state": session_row.id, "iss": ISSUER}
    assert row.code_sha256 == hash_secret(code)
    assert (row.client_id, row.browser_session_id, row.redirect_uri) == (shop.id, session_row.id, RETURN)
    assert (row.challenge, row.nonce, row.scope) == (CHALLENGE, "the nonce", "openid profile")
    assert row.login_id is None
    assert session_row.user_id == alice.id
    assert session_row.cookie_sha256 == hash_secret(browser.session_cookie)


def test_a_person_without_rights_may_log_in(browser: Browser, nobody: Person):
    assert "code" in handed_over(browser.log_in("nobody"))


def test_what_the_browser_keeps_is_not_for_scripts_or_other_sites(
    browser: Browser, alice: Person, app: FastAPI, monkeypatch: pytest.MonkeyPatch
):
    cookies = browser.log_in().headers.get_list("set-cookie")
    session = next(cookie for cookie in cookies if cookie.startswith("OPENDAI_SESSION="))
    parts = {part.strip().lower() for part in session.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/auth/realms/eggplant", "max-age=36000"} <= parts
    assert "secure" not in parts  # The address of the tests is plain http.


def test_over_https_the_cookies_are_for_https_alone(client: TestClient, app: FastAPI, shop: LoginClient):
    tokens = app.state.tokens
    usual = tokens.issuer
    tokens.issuer = "https://dai.example.com/dai/auth/realms/eggplant"
    try:
        page = Browser(client).authorize()
    finally:
        tokens.issuer = usual
        client.cookies.clear()
    cookie = page.headers["set-cookie"]
    assert "; Secure" in cookie
    assert "; Path=/dai/auth/realms/eggplant;" in cookie
    assert 'action="/dai/auth/realms/eggplant/login-actions/authenticate"' in page.text


def test_who_is_logged_in_goes_on_without_a_page(browser: Browser, alice: Person, database: Database):
    first = handed_over(browser.log_in())
    second = handed_over(browser.authorize(state="another"))
    assert second["state"] == "another"
    assert second["session_state"] == first["session_state"]
    assert second["code"] != first["code"]
    assert _count(database, tables.AuthorizationCode) == 2


@pytest.mark.parametrize("ended", ["expired", "removed", "another cookie"])
def test_an_ended_session_logs_nobody_in(browser: Browser, alice: Person, database: Database, ended: str):
    browser.log_in()
    with database.writing() as session:
        row = session.scalars(select(tables.BrowserSession)).one()
        if ended == "expired":
            row.expires = session.scalars(select(database_clock())).one() - 1
        elif ended == "removed":
            session.delete(row)
        else:
            row.cookie_sha256 = "0" * 64
    assert "<h1>Log in</h1>" in browser.authorize().text


def test_a_deleted_person_is_not_logged_in_any_more(browser: Browser, alice: Person, admin: Person):
    browser.log_in()
    assert browser.client.delete(f"/ai/users/{alice.id}", headers=admin.bearer).status_code == 200
    assert "<h1>Log in</h1>" in browser.authorize().text


def test_prompt_none_goes_on_with_a_session_and_comes_back_without_one(browser: Browser, alice: Person):
    without = handed_over(browser.authorize(prompt="none"))
    assert without["error"] == "login_required"
    assert without["state"] == "the state"
    assert without["iss"] == ISSUER
    browser.log_in()
    assert "code" in handed_over(browser.authorize(prompt="none"))


@pytest.mark.parametrize("prompt", ["login", "select_account", "login consent"])
def test_a_prompt_for_the_login_shows_the_page_to_everybody(browser: Browser, alice: Person, prompt: str):
    browser.log_in()
    page = browser.authorize(prompt=prompt)
    assert "<h1>Log in</h1>" in page.text
    assert "code" in handed_over(browser.submit(page, username="alice", password=PASSWORD))


def test_a_login_that_is_older_than_max_age_is_not_enough(
    browser: Browser, alice: Person, database: Database
):
    browser.log_in()
    with database.writing() as session:
        session.execute(
            update(tables.BrowserSession).values(authenticated=tables.BrowserSession.authenticated - 100)
        )
    assert "code" in handed_over(browser.authorize(max_age="160"))
    assert "<h1>Log in</h1>" in browser.authorize(max_age="40").text
    assert handed_over(browser.authorize(max_age="40", prompt="none"))["error"] == "login_required"
    page = browser.authorize(max_age="0")
    assert "code" in handed_over(browser.submit(page, username="alice", password=PASSWORD))


# Sessions of a browser


def test_each_login_gives_the_browser_a_new_secret_and_the_last_one_ends(
    browser: Browser, alice: Person, database: Database
):
    first = handed_over(browser.log_in())
    cookie = browser.session_cookie
    second = handed_over(browser.log_in(prompt="login"))
    assert browser.session_cookie != cookie
    # The same person is still logged in: the programs keep their logins.
    assert second["session_state"] == first["session_state"]
    assert _count(database, tables.BrowserSession) == 1
    browser.forget()
    browser.client.cookies.set("OPENDAI_SESSION", cookie)
    assert "<h1>Log in</h1>" in browser.authorize().text


def test_a_session_that_somebody_planted_is_not_taken_over(
    browser: Browser, alice: Person, bob: Person, database: Database
):
    browser.client.cookies.set("OPENDAI_SESSION", "p" * 43)
    handed_over(browser.log_in())
    with database.reading() as session:
        hashes = session.scalars(select(tables.BrowserSession.cookie_sha256)).all()
    assert hash_secret("p" * 43) not in hashes


def test_another_person_ends_the_logins_of_the_one_before(
    browser: Browser, alice: Person, bob: Person, database: Database
):
    first = handed_over(browser.log_in("alice"))
    with database.writing() as session:
        login = begin_login(session, session.get(tables.User, alice.id), lifetime=600)
        login.browser_session_id = first["session_state"]
    second = handed_over(browser.log_in("bob", prompt="login"))
    assert second["session_state"] != first["session_state"]
    with database.reading() as session:
        assert session.scalars(select(tables.BrowserSession.user_id)).all() == [bob.id]
        assert session.get(tables.Login, login.id) is None


# Where a browser is never sent


@pytest.mark.parametrize(
    "uri",
    {
        "a slash too many": f"{RETURN}/",
        "no slash": "https://shop.example.com",
        "another case of the host": "https://Shop.example.com/back",
        "another case of the path": "https://shop.example.com/Back",
        "another scheme": "http://shop.example.com/back",
        "a scheme in capitals": "HTTPS://shop.example.com/back",
        "somebody before the host": "https://evil@shop.example.com/back",
        "the host as a user": "https://shop.example.com@evil.example/back",
        "the host as a user with a password": "https://shop.example.com:x@evil.example/back",
        "a port": "https://shop.example.com:443/back",
        "a fragment": f"{RETURN}#x",
        "an empty fragment": f"{RETURN}#",
        "encoded dots": "https://shop.example.com/%2e%2e/back",
        "an encoded letter": "https://shop.example.com/%62ack",
        "a line end": f"{RETURN}\r\nX: y",
        "an encoded line end": f"{RETURN}%0d%0aX: y",
        "NUL": f"{RETURN}\0",
        "a tab": "https://shop.example.com/ba\tck",
        "a space before": f" {RETURN}",
        "a script": "javascript:alert(1)",
        "a script with the address": f"javascript:{RETURN}",
        "data": "data:text/html,x",
        "no scheme": "//shop.example.com/back",
        "a backslash": "https://shop.example.com\\back",
        "a backslash host": "https:\\\\shop.example.com/back",
        "a backslash before the host": "https://evil.example\\@shop.example.com/back",
        "a host below": "https://x.shop.example.com/back",
        "a host that begins alike": "https://shop.example.com.evil.example/back",
        "a host that ends alike": "https://evilshop.example.com/back",
        "a dot behind the host": "https://shop.example.com./back",
        "a query": f"{RETURN}?x=1",
        "an empty query": f"{RETURN}?",
        "more of a query": f"{RETURN}?kind=1&x=1",
        "the way up": "https://shop.example.com/back/../evil",
        "a path below": f"{RETURN}/evil",
        "a semicolon": f"{RETURN};x",
        "a wildcard": "*",
        "a wildcard path": "https://shop.example.com/*",
        "a wildcard host": "https://*.example.com/back",
        "a letter that looks alike": "https://sh\u043ep.example.com/back",
        "a full-width dot": "https://shop\uff0eexample.com/back",
        "loopback by name": "http://localhost/app",
        "another loopback": "http://127.0.0.2/app",
        "loopback by https": "https://127.0.0.1/app",
        "loopback with a user": "http://127.0.0.1:80@evil.example/app",
        "loopback with another path": "http://127.0.0.1:8080/evil",
        "loopback with a query": "http://127.0.0.1:8080/app?x",
        "loopback that goes on": "http://127.0.0.1.evil.example/app",
        "loopback without a port": "http://127.0.0.1:/app",
        "loopback with port 0": "http://127.0.0.1:0/app",
        "loopback with a port that cannot be": "http://127.0.0.1:65536/app",
        "loopback with a signed port": "http://127.0.0.1:+80/app",
        "loopback in short": "http://127.1/app",
        "an app's path": "com.example.shop:/back/evil",
        "an app's scheme in capitals": "COM.example.shop:/back",
        "another app": "com.example.evil:/back",
        "very long": f"{RETURN}{LONG}",
    }.values(),
)
def test_an_address_that_is_not_registered_letter_by_letter_is_never_gone_to(
    browser: Browser, alice: Person, database: Database, uri: str
):
    assert _is_error_page(browser.authorize(redirect_uri=uri))
    assert _is_error_page(browser.authorize(redirect_uri=uri, prompt="none"))
    assert _is_error_page(browser.authorize(redirect_uri=uri, response_type="token"))
    browser.be_logged_in(database, alice)
    assert _is_error_page(browser.authorize(redirect_uri=uri))
    assert _count(database, tables.AuthorizationCode) == 0
    assert "code" in handed_over(browser.authorize())


@pytest.mark.parametrize(
    "mark", ["*", "https://*", "javascript:alert(1)", "//evil.example/", "data:,x", "https://a@b/"]
)
def test_even_a_registered_address_must_be_one_of_the_web_or_an_app(
    browser: Browser, database: Database, mark: str
):
    make_login_client(database, "careless", mark)
    assert _is_error_page(browser.authorize(client_id="careless-id", redirect_uri=mark))
    assert _is_error_page(browser.authorize(client_id="careless-id", redirect_uri="https://evil.example/"))


@pytest.mark.parametrize("second", [RETURN, "https://evil.example/"])
@pytest.mark.parametrize("name", ["redirect_uri", "client_id"])
def test_a_second_address_or_client_is_not_chosen_from(browser: Browser, name: str, second: str):
    pairs = [("client_id", "shop-id"), ("redirect_uri", RETURN), ("response_type", "code")]
    for doubled in ([*pairs, (name, second)], [(name, second), *pairs]):
        query = "&".join(f"{key}={quote(value)}" for key, value in doubled)
        assert _is_error_page(browser.client.get(f"{OPENID}/auth?{query}"))


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
@pytest.mark.parametrize("value", ["", "unknown", "shop-id\0", "\ud7ff\ue000", LONG])
def test_a_client_or_an_address_that_is_not_known_is_a_page(browser: Browser, name: str, value: str):
    assert _is_error_page(browser.authorize(**{name: value}))
    assert _is_error_page(browser.authorize(without=(name,)))


def test_bytes_that_are_no_text_are_a_page(browser: Browser):
    for raw in ("%ED%A0%80", "%FF", "%00", "%C3%28"):
        query = f"client_id=shop-id{raw}&redirect_uri={quote(RETURN)}&response_type=code"
        assert _is_error_page(browser.client.get(f"{OPENID}/auth?{query}"))


def test_a_client_without_the_grant_or_that_was_revoked_is_a_page(
    browser: Browser, alice: Person, database: Database, ci
):
    make_login_client(database, "quiet", RETURN, grants=("client_credentials",))
    assert _is_error_page(browser.authorize(client_id="quiet-id"))
    assert _is_error_page(browser.authorize(client_id=ci.client_id))
    page = browser.authorize()
    with database.writing() as session:
        session.execute(update(tables.ApiClient).values(revoked_at=now()))
    assert _is_error_page(browser.authorize())
    assert _is_error_page(browser.submit(page, username="alice", password=PASSWORD))
    assert _count(database, tables.BrowserSession) == 0


def test_the_error_page_shows_nothing_of_what_was_sent(browser: Browser):
    response = browser.authorize(redirect_uri="https://evil.example/<script>", client_id="<b>")
    assert _is_error_page(response)
    assert "evil" not in response.text
    assert "<b>" not in response.text


# Where a browser may be sent


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1/app",
        "http://127.0.0.1:49152/app",
        "http://[::1]/app",
        "http://[::1]:65535/app",
        "com.example.shop:/back",
    ],
)
def test_an_app_on_somebodys_machine_may_take_any_port(browser: Browser, alice: Person, uri: str):
    page = browser.authorize(redirect_uri=uri)
    assert "code" in handed_over(browser.submit(page, username="alice", password=PASSWORD), at=f"{uri}?code=")


def test_a_registered_query_is_kept(browser: Browser, alice: Person):
    uri = "https://shop.example.com/back?kind=1"
    given = handed_over(browser.log_in(redirect_uri=uri), at=f"{uri}&")
    assert given["kind"] == "1"
    assert "code" in given


def test_a_program_may_have_the_answer_in_the_fragment(browser: Browser, alice: Person):
    refused = handed_over(browser.authorize(response_mode="fragment", prompt="none"), mode="fragment")
    assert refused["error"] == "login_required"
    given = handed_over(browser.log_in(response_mode="fragment"), at=f"{RETURN}#code=", mode="fragment")
    assert set(given) == {"code", "state", "session_state", "iss"}


@pytest.mark.parametrize("state", ["a b+c&d=e#f%20", "ünï\U0001f600", "<script>", "x" * 4096])
def test_the_state_comes_back_as_it_was(browser: Browser, alice: Person, state: str):
    assert handed_over(browser.authorize(state=state, prompt="none"))["state"] == state
    assert handed_over(browser.log_in(state=state))["state"] == state


@pytest.mark.parametrize("without", ["state", "nonce", "scope"])
def test_what_may_be_left_out(browser: Browser, alice: Person, database: Database, without: str):
    given = handed_over(
        browser.submit(browser.authorize(without=(without,)), username="alice", password=PASSWORD)
    )
    assert set(given) == {"code", "state", "session_state", "iss"} - {without}
    with database.reading() as session:
        row = session.scalars(select(tables.AuthorizationCode)).one()
    assert row.nonce == (None if without == "nonce" else "the nonce")
    assert row.scope == ("" if without == "scope" else "openid profile")


# What the program is told


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "CODE"}, "unsupported_response_type"),
        ({"response_type": ""}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "too short"}, "invalid_request"),
        ({"code_challenge": f"{CHALLENGE[:-1]}="}, "invalid_request"),
        ({"code_challenge": f"{CHALLENGE}\n"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"response_mode": "query.jwt"}, "invalid_request"),
        ({"response_type": ["code", "code"]}, "invalid_request"),
        ({"scope": ["openid", "openid"]}, "invalid_request"),
        ({"nonce": ["a", "b"]}, "invalid_request"),
        ({"code_challenge": [CHALLENGE, CHALLENGE]}, "invalid_request"),
        ({"scope": 'a"b'}, "invalid_scope"),
        ({"scope": "openid \\"}, "invalid_scope"),
        ({"scope": "x" * 256}, "invalid_scope"),
        ({"scope": "a\0b"}, "invalid_request"),
        ({"nonce": "a\0b"}, "invalid_request"),
        ({"nonce": LONG}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "1e3"}, "invalid_request"),
        ({"max_age": "9" * 5000}, "invalid_request"),
        ({"max_age": "\u0661"}, "invalid_request"),
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"request_uri": "https://evil.example/"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
    ],
)
def test_a_request_that_cannot_be_granted_comes_back_with_an_error(
    browser: Browser, alice: Person, database: Database, changes: dict, error: str
):
    browser.be_logged_in(database, alice)
    given = handed_over(browser.authorize(**changes))
    assert given.pop("error") == error
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+\.", given.pop("error_description"))
    assert given == {"state": "the state", "iss": ISSUER}
    assert _count(database, tables.AuthorizationCode) == 0


@pytest.mark.parametrize("state", [["a", "b"], "a\0b", "a\r\nb", LONG])
def test_a_state_that_cannot_be_is_not_sent_back(browser: Browser, state):
    given = handed_over(browser.authorize(state=state))
    assert given.pop("error") == "invalid_request"
    assert "state" not in given


def test_what_nobody_asked_for_is_not_looked_at(browser: Browser):
    page = browser.authorize(ui_locales="de", claims="{", display=["a", "b"], unknown="\0", kc_locale=LONG)
    assert "<h1>Log in</h1>" in page.text


# The page


def test_the_page_can_be_used_by_everybody(browser: Browser):
    page = browser.authorize(login_hint='ann "<b>')
    text = page.text
    assert text.startswith('<!doctype html><html lang="en">')
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    for field, kind in (("username", "username"), ("password", "current-password")):
        assert f'<label for="{field}">' in text
        assert re.search(rf'<input id="{field}" name="{field}"[^>]* autocomplete="{kind}"', text)
    assert text.count(" autofocus") == 1
    assert 'value="ann &quot;&lt;b&gt;"' in text
    assert "<p>You go on to shop.</p>" in text
    assert re.findall(r"<script|<img|<link|<iframe|url\(|@import|style=|\bon\w+=", text) == []


def test_the_page_says_what_it_allows(browser: Browser):
    for uri, source in (
        (RETURN, "https://shop.example.com"),
        ("http://127.0.0.1:4000/app", "http://127.0.0.1:4000"),
        ("http://[::1]:4000/app", "http:"),
        ("com.example.shop:/back", "com.example.shop:"),
    ):
        page = browser.authorize(redirect_uri=uri)
        style = re.search(r"<style>(.*)</style>", page.text, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert page.headers["content-security-policy"] == (
            f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self' {source}; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-content-type-options"] == "nosniff"


def test_the_page_shows_no_secret_of_the_program(browser: Browser):
    page = browser.authorize(state="do-not-show-me")
    assert "do-not-show-me" not in page.text


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("alice", "wrong"),
        ("nobody at all", PASSWORD),
        ("ALICE", PASSWORD),
        ("alice", ""),
        ("", PASSWORD),
        ("alice\0", PASSWORD),
        ("alice", f"{PASSWORD}\0"),
        ("alice", LONG),
        (LONG, PASSWORD),
        ('"><b>', PASSWORD),
    ],
)
def test_a_failed_login_shows_the_page_again_in_the_same_words(
    browser: Browser, alice: Person, database: Database, username: str, password: str
):
    page = browser.submit(browser.authorize(), username=username, password=password)
    assert page.status_code == 200
    assert '<p role="alert" id="problem">The username or the password is wrong.</p>' in page.text
    assert 'aria-describedby="problem"' in page.text
    assert "<b>" not in page.text
    if username == "alice":
        assert 'value="alice"' in page.text
    assert "OPENDAI_SESSION" not in str(page.headers.get_list("set-cookie"))
    assert _count(database, tables.BrowserSession) == 0
    assert "code" in handed_over(browser.submit(page, username="alice", password=PASSWORD))


def test_an_account_without_a_password_fails_in_the_same_words(
    browser: Browser, alice: Person, database: Database
):
    with database.writing() as session:
        session.execute(update(tables.User).values(password_hash=None))
    page = browser.log_in()
    assert "The username or the password is wrong." in page.text


@contextlib.contextmanager
def crowded(app: FastAPI) -> Iterator[None]:
    """As if more logins were waiting than may wait."""
    state = next(
        mount.app.state for mount in app.routes if isinstance(mount, Mount) and mount.path == "/auth"
    )
    usual = state.passwords
    state.passwords = Passwords(at_once=1, waiting=-1)
    try:
        yield
    finally:
        state.passwords = usual


def test_too_many_logins_at_once_are_429_on_the_page(browser: Browser, alice: Person, app: FastAPI):
    page = browser.authorize()
    with crowded(app):
        refused = browser.submit(page, username="alice", password=PASSWORD)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert '<p role="alert" id="problem">Too many logins at once.' in refused.text
    assert "code" in handed_over(browser.submit(refused, username="alice", password=PASSWORD))


# The form


def test_a_form_that_another_site_sends_is_refused(browser: Browser, alice: Person, database: Database):
    page = browser.authorize()
    browser.forget()  # Another browser, to which nobody showed the page.
    assert _is_error_page(browser.submit(page, username="alice", password=PASSWORD))
    browser.authorize()
    assert _is_error_page(browser.submit(page, username="alice", password=PASSWORD))
    assert _count(database, tables.BrowserSession) == 0


def test_two_pages_in_two_tabs_both_work(browser: Browser, alice: Person):
    first, second = browser.authorize(state="first"), browser.authorize(state="second")
    for page, state in ((first, "first"), (second, "second")):
        assert handed_over(browser.submit(page, username="alice", password=PASSWORD))["state"] == state


def test_a_page_that_was_shown_too_long_ago_is_refused(
    browser: Browser, alice: Person, monkeypatch: pytest.MonkeyPatch
):
    page = browser.authorize()
    shown = time.time()
    monkeypatch.setattr(page_forms.time, "time", lambda: shown + 1801)
    response = browser.submit(page, username="alice", password=PASSWORD)
    assert _is_error_page(response)
    assert "This page is out of date." in response.text


@pytest.mark.parametrize(
    "forge",
    [
        lambda _: "",
        lambda _: "x",
        lambda _: ".",
        lambda field: f"{field}x",
        lambda field: field[1:],
        lambda field: field.split(".")[0],
        lambda field: f"{field.split('.')[0]}.",
        lambda field: f"é{field}",
        lambda field: f"{field}\0",
        lambda _: "A" * 100_000,
        lambda field: (
            base64.urlsafe_b64encode(
                base64.urlsafe_b64decode(field.split(".")[0] + "==").replace(b"shop.example", b"evil.example")
            )
            .decode()
            .rstrip("=")
            + "."
            + field.split(".")[1]
        ),
    ],
)
def test_a_changed_form_is_refused(browser: Browser, alice: Person, forge):
    page = browser.authorize()
    field = forge(hidden_fields(page)["form_state"])
    response = browser.client.post(
        AUTHENTICATE, data={"form_state": field, "username": "alice", "password": PASSWORD}
    )
    assert _is_error_page(response)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("text/plain", b"form_state=x"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="form_state"\r\n\r\nx\r\n--x--\r\n',
        ),
        ("application/x-www-form-urlencoded", b"form_state=a&form_state=b"),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % number for number in range(30))),
    ],
)
def test_a_body_that_no_form_sends_is_refused(browser: Browser, kind: str, body: bytes):
    response = browser.client.post(AUTHENTICATE, content=body, headers={"Content-Type": kind})
    assert response.status_code == 400
    assert set(response.json()) == {"error", "error_description"}


def test_a_form_of_a_page_for_something_else_is_refused(browser: Browser, alice: Person):
    browser.log_in()
    asking = browser.client.get(f"{OPENID}/logout")
    field = hidden_fields(asking)["form_state"]
    response = browser.client.post(
        AUTHENTICATE, data={"form_state": field, "username": "alice", "password": PASSWORD}
    )
    assert _is_error_page(response)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_405(browser: Browser, method: str):
    for path in (f"{OPENID}/auth", AUTHENTICATE):
        response = browser.client.request(method, path)
        assert response.status_code == 405
        assert set(response.json()) == {"error", "error_description"}


def test_another_realm_has_no_page(browser: Browser):
    for response in (
        browser.client.get(f"{OPENID}/auth".replace("eggplant", "master")),
        browser.client.post(AUTHENTICATE.replace("eggplant", "master"), data={"form_state": "x"}),
    ):
        assert response.status_code == 404
        assert response.json() == {"error": "not_found", "error_description": "There is no such realm."}
