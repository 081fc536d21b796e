"""Logging in by the page: the flow, the sessions of a browser, and what a program is told."""

import re
from typing import Any

import pytest
from sqlalchemy import select, update

from opendai import tables
from opendai.api.server import Server
from opendai.auth.logins import begin_login, hash_secret
from opendai.database import Database, database_clock
from opendai.identity.token.scopes import granted_scope
from tests.arranging.browsing import CHALLENGE, ISSUER, RETURN, Browser, LoginClient, count, handed_over
from tests.conftest import PASSWORD, Person
from tests.inprocess import TestClient

LONG = "x" * 10_000


def test_a_person_logs_in_and_the_browser_brings_a_code(
    browser: Browser, alice: Person, shop_client: LoginClient, database: Database
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
    assert (row.client_id, row.browser_session_id, row.redirect_uri) == (
        shop_client.id,
        session_row.id,
        RETURN,
    )
    assert (row.challenge, row.nonce, row.scope) == (CHALLENGE, "the nonce", granted_scope("openid profile"))
    assert row.login_id is None
    assert session_row.user_id == alice.id
    assert session_row.cookie_sha256 == hash_secret(str(browser.session_cookie))


def test_a_person_without_rights_may_log_in(browser: Browser, nobody: Person):
    assert "code" in handed_over(browser.log_in("nobody"))


def test_what_the_browser_keeps_is_not_for_scripts_or_other_sites(
    browser: Browser, alice: Person, app: Server, monkeypatch: pytest.MonkeyPatch
):
    cookies = browser.log_in().headers.get_list("set-cookie")
    session = next(cookie for cookie in cookies if cookie.startswith("OPENDAI_SESSION="))
    parts = {part.strip().lower() for part in session.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/auth/realms/eggplant", "max-age=36000"} <= parts
    assert "secure" not in parts  # The address of the tests is plain http.


def test_over_https_the_cookies_are_for_https_alone(
    client: TestClient, app: Server, shop_client: LoginClient
):
    tokens = app.state.parts.tokens
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
    assert count(database, tables.AuthorizationCode) == 2


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


def test_each_login_gives_the_browser_a_new_secret_and_the_last_one_ends(
    browser: Browser, alice: Person, database: Database
):
    first = handed_over(browser.log_in())
    cookie = str(browser.session_cookie)
    second = handed_over(browser.log_in(prompt="login"))
    assert browser.session_cookie != cookie
    # The same person is still logged in: the programs keep their logins.
    assert second["session_state"] == first["session_state"]
    assert count(database, tables.BrowserSession) == 1
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
        login = begin_login(session, session.get_one(tables.User, alice.id), lifetime=600)
        assert login
        login.browser_session_id = first["session_state"]
    second = handed_over(browser.log_in("bob", prompt="login"))
    assert second["session_state"] != first["session_state"]
    with database.reading() as session:
        assert session.scalars(select(tables.BrowserSession.user_id)).all() == [bob.id]
        assert session.get(tables.Login, login.id) is None


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
    browser: Browser, alice: Person, database: Database, changes: dict[str, Any], error: str
):
    browser.be_logged_in(database, alice)
    given = handed_over(browser.authorize(**changes))
    assert given.pop("error") == error
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+\.", given.pop("error_description"))
    assert given == {"state": "the state", "iss": ISSUER}
    assert count(database, tables.AuthorizationCode) == 0


@pytest.mark.parametrize("state", [["a", "b"], "a\0b", "a\r\nb", LONG])
def test_a_state_that_cannot_be_is_not_sent_back(browser: Browser, state):
    given = handed_over(browser.authorize(state=state))
    assert given.pop("error") == "invalid_request"
    assert "state" not in given


def test_what_nobody_asked_for_is_not_looked_at(browser: Browser):
    page = browser.authorize(ui_locales="de", claims="{", display=["a", "b"], unknown="\0", kc_locale=LONG)
    assert "<h1>Log in</h1>" in page.text
