"""The pages that other pages embed, and what their scripts ask the server."""

import base64
import hashlib
import re

import pytest
from sqlalchemy import update

from opendai import tables
from opendai.database import Database
from opendai.tables.columns import now
from tests.arranging.browsing import OPENID, Browser, LoginClient, make_login, make_login_client
from tests.conftest import Person
from tests.inprocess import TestClient

FRAME = f"{OPENID}/login-status-iframe.html"
INIT = f"{FRAME}/init"
COOKIES = f"{OPENID}/3p-cookies"
SHOP = "https://shop.example.com"
LONG = "x" * 10_000


def _ask(browser: Browser, **parameters):
    return browser.client.get(INIT, params={"client_id": "shop-id", "origin": SHOP, **parameters})


def _runs_one_script_of_its_own(page) -> bool:
    (script,) = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert page.headers["content-security-policy"] == (
        f"default-src 'none'; script-src 'sha256-{digest}'; connect-src 'self'; base-uri 'none'; "
        "frame-ancestors *"
    )
    assert "x-frame-options" not in page.headers
    assert page.headers["cache-control"] == "no-store"
    return True


def test_the_frame_may_be_embedded_and_runs_its_script_alone(client: TestClient):
    page = client.get(FRAME)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert _runs_one_script_of_its_own(page)
    for answer in ('"unchanged"', '"changed"', '"error"'):
        assert answer in page.text


@pytest.mark.parametrize(
    "origin", [SHOP, "http://127.0.0.1", "http://127.0.0.1:4000", "http://[::1]", "http://[::1]:4000"]
)
def test_a_page_of_the_client_may_ask(browser: Browser, origin: str):
    response = _ask(browser, origin=origin)
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "*",
        f"{SHOP}/",
        f"{SHOP}/back",
        "http://shop.example.com",
        "https://SHOP.example.com",
        "https://shop.example.com:443",
        "https://shop.example.com:444",
        "https://x.shop.example.com",
        "https://shop.example.com.evil.example",
        "https://evil.example",
        "http://127.0.0.1:0",
        "http://127.0.0.1:99999",
        "https://127.0.0.1",
        "http://localhost",
        "com.example.shop:",
        "shop.example.com",
        f"{SHOP}\0",
        LONG,
        [SHOP, "https://evil.example"],
    ],
)
def test_a_page_of_another_origin_may_not(browser: Browser, origin):
    response = _ask(browser, origin=origin)
    assert response.status_code == 403
    assert response.json() == {
        "error": "access_denied",
        "error_description": "The origin does not belong to the client.",
    }


@pytest.mark.parametrize("client_id", ["", "unknown", "shop-id\0", LONG, ["shop-id", "shop-id"]])
def test_for_a_client_that_is_not_known_nobody_may_ask(browser: Browser, client_id):
    assert _ask(browser, client_id=client_id).status_code == 403
    assert browser.client.get(INIT).status_code == 403


def test_for_a_client_that_was_revoked_nobody_may_ask(browser: Browser, database: Database):
    with database.writing() as session:
        session.execute(update(tables.ApiClient).values(revoked_at=now()))
    assert _ask(browser).status_code == 403


def test_an_origin_is_compared_as_browsers_write_it(browser: Browser, database: Database):
    make_login_client(database, "loud", "https://Loud.Example.com:443/back", "https://odd.example.com:99999/")
    assert _ask(browser, client_id="loud-id", origin="https://loud.example.com").status_code == 204
    assert _ask(browser, client_id="loud-id", origin="https://odd.example.com").status_code == 403


def test_a_login_of_this_browser_has_not_changed(
    browser: Browser, alice: Person, shop_client: LoginClient, database: Database
):
    session = browser.be_logged_in(database, alice)
    login = make_login(database, alice, shop_client, session)
    for state in (login, session):
        assert _ask(browser, session_state=state).status_code == 204


@pytest.mark.parametrize("ended", ["logged out", "login ended", "another browser", "somebody else"])
def test_a_login_that_ended_has_changed(
    browser: Browser, alice: Person, bob: Person, shop_client: LoginClient, database: Database, ended: str
):
    session = browser.be_logged_in(database, alice)
    login = make_login(database, alice, shop_client, session)
    if ended == "logged out":
        browser.submit(browser.client.get(f"{OPENID}/logout"))
    elif ended == "login ended":
        with database.writing() as writing:
            writing.delete(writing.get(tables.Login, login))
    elif ended == "another browser":
        browser.forget()
    else:
        browser.be_logged_in(database, bob)
    response = _ask(browser, session_state=login)
    assert response.status_code == 409
    assert response.json() == {
        "error": "session_changed",
        "error_description": "The session has changed.",
    }


def test_to_know_of_no_login_is_right_as_long_as_there_is_none(
    browser: Browser, alice: Person, database: Database
):
    assert _ask(browser, session_state="").status_code == 204
    browser.be_logged_in(database, alice)
    assert _ask(browser, session_state="").status_code == 409


@pytest.mark.parametrize("state", ["x", "é", "' OR 1=1 --", "00000000-0000-4000-8000-000000000000"])
def test_a_login_that_never_was_has_changed(browser: Browser, alice: Person, database: Database, state: str):
    browser.be_logged_in(database, alice)
    assert _ask(browser, session_state=state).status_code == 409


@pytest.mark.parametrize("state", ["\0", LONG, ["a", "b"]])
def test_a_state_that_cannot_be_is_refused(browser: Browser, state):
    assert _ask(browser, session_state=state).status_code == 403


def test_a_browser_that_keeps_the_cookie_is_supported(browser: Browser):
    first = browser.client.get(f"{COOKIES}/step1.html")
    assert (first.status_code, first.headers["location"]) == (303, "step2.html")
    cookie = first.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=lax", "Path=/auth/realms/eggplant"):
        assert part in cookie
    second = browser.client.get(f"{COOKIES}/step2.html")
    assert 'data-answer="supported"' in second.text
    assert _runs_one_script_of_its_own(second)


def test_a_browser_that_keeps_no_cookie_is_not(browser: Browser):
    browser.client.get(f"{COOKIES}/step1.html")
    browser.forget()
    second = browser.client.get(f"{COOKIES}/step2.html")
    assert 'data-answer="unsupported"' in second.text
    assert _runs_one_script_of_its_own(second)


@pytest.mark.parametrize("path", [FRAME, INIT, f"{COOKIES}/step1.html", f"{COOKIES}/step2.html"])
def test_another_realm_and_other_methods_are_refused(client: TestClient, path: str):
    assert client.get(path.replace("eggplant", "master")).json() == {
        "error": "not_found",
        "error_description": "There is no such realm.",
    }
    assert client.post(path).status_code == 405
