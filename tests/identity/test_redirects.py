"""Where a browser is sent with a code or an error, and where never."""

from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import select, update

from opendai import tables
from opendai.database import Database
from opendai.identity.token.scopes import granted_scope
from opendai.tables.columns import now
from tests.arranging.browsing import (
    OPENID,
    RETURN,
    Browser,
    count,
    handed_over,
    is_error_page,
    make_login_client,
)
from tests.conftest import PASSWORD, Person

LONG = "x" * 10_000


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
    assert is_error_page(browser.authorize(redirect_uri=uri))
    assert is_error_page(browser.authorize(redirect_uri=uri, prompt="none"))
    assert is_error_page(browser.authorize(redirect_uri=uri, response_type="token"))
    browser.be_logged_in(database, alice)
    assert is_error_page(browser.authorize(redirect_uri=uri))
    assert count(database, tables.AuthorizationCode) == 0
    assert "code" in handed_over(browser.authorize())


@pytest.mark.parametrize(
    "mark", ["*", "https://*", "javascript:alert(1)", "//evil.example/", "data:,x", "https://a@b/"]
)
def test_even_a_registered_address_must_be_one_of_the_web_or_an_app(
    browser: Browser, database: Database, mark: str
):
    make_login_client(database, "careless", mark)
    assert is_error_page(browser.authorize(client_id="careless-id", redirect_uri=mark))
    assert is_error_page(browser.authorize(client_id="careless-id", redirect_uri="https://evil.example/"))


@pytest.mark.parametrize("second", [RETURN, "https://evil.example/"])
@pytest.mark.parametrize("name", ["redirect_uri", "client_id"])
def test_a_second_address_or_client_is_not_chosen_from(browser: Browser, name: str, second: str):
    pairs = [("client_id", "shop-id"), ("redirect_uri", RETURN), ("response_type", "code")]
    for doubled in ([*pairs, (name, second)], [(name, second), *pairs]):
        query = "&".join(f"{key}={quote(value)}" for key, value in doubled)
        assert is_error_page(browser.client.get(f"{OPENID}/auth?{query}"))


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
@pytest.mark.parametrize("value", ["", "unknown", "shop-id\0", "\ud7ff\ue000", LONG])
def test_a_client_or_an_address_that_is_not_known_is_a_page(browser: Browser, name: str, value: str):
    given: dict[str, Any] = {name: value}
    assert is_error_page(browser.authorize(**given))
    assert is_error_page(browser.authorize(without=(name,)))


def test_bytes_that_are_no_text_are_a_page(browser: Browser):
    for raw in ("%ED%A0%80", "%FF", "%00", "%C3%28"):
        query = f"client_id=shop-id{raw}&redirect_uri={quote(RETURN)}&response_type=code"
        assert is_error_page(browser.client.get(f"{OPENID}/auth?{query}"))


def test_a_client_without_the_grant_or_that_was_revoked_is_a_page(
    browser: Browser, alice: Person, database: Database, ci
):
    make_login_client(database, "quiet", RETURN, grants=("client_credentials",))
    assert is_error_page(browser.authorize(client_id="quiet-id"))
    assert is_error_page(browser.authorize(client_id=ci.client_id))
    page = browser.authorize()
    with database.writing() as session:
        session.execute(update(tables.ApiClient).values(revoked_at=now()))
    assert is_error_page(browser.authorize())
    assert is_error_page(browser.submit(page, username="alice", password=PASSWORD))
    assert count(database, tables.BrowserSession) == 0


def test_the_error_page_shows_nothing_of_what_was_sent(browser: Browser):
    response = browser.authorize(redirect_uri="https://evil.example/<script>", client_id="<b>")
    assert is_error_page(response)
    assert "evil" not in response.text
    assert "<b>" not in response.text


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
    assert row.scope == granted_scope("" if without == "scope" else "openid profile")
