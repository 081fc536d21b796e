"""The page that asks for a password: whom it serves, what it allows, and which forms are taken."""

import base64
import contextlib
import hashlib
import re
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import update

from opendai import tables
from opendai.api.server import Server
from opendai.credentials.passwords import Passwords
from opendai.database import Database
from opendai.identity.browser import forms as page_forms
from tests.arranging.browsing import (
    OPENID,
    REALM,
    RETURN,
    Browser,
    count,
    handed_over,
    hidden_fields,
    is_error_page,
)
from tests.arranging.parts import replaced
from tests.conftest import PASSWORD, Person

AUTHENTICATE = f"{REALM}/login-actions/authenticate"
LONG = "x" * 10_000


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
    assert "<p>Log in to continue to shop.</p>" in text
    assert re.findall(r"<script|<img|<link|<iframe|url\(|@import|style=|\bon\w+=", text) == []


def test_the_page_says_what_it_allows(browser: Browser):
    for uri, source in (
        (RETURN, "https://shop.example.com"),
        ("http://127.0.0.1:4000/app", "http://127.0.0.1:4000"),
        ("http://[::1]:4000/app", "http:"),
        ("com.example.shop:/back", "com.example.shop:"),
    ):
        page = browser.authorize(redirect_uri=uri)
        (style,) = re.findall(r"<style>(.*)</style>", page.text, re.DOTALL)
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
    assert count(database, tables.BrowserSession) == 0
    assert "code" in handed_over(browser.submit(page, username="alice", password=PASSWORD))


def test_an_account_without_a_password_fails_in_the_same_words(
    browser: Browser, alice: Person, database: Database
):
    with database.writing() as session:
        session.execute(update(tables.User).values(password_hash=None))
    page = browser.log_in()
    assert "The username or the password is wrong." in page.text


@contextlib.contextmanager
def crowded(app: Server) -> Iterator[None]:
    """As if more logins were waiting than may wait."""
    with replaced(app, passwords=Passwords(at_once=1, waiting=-1, pause_seconds=0.01)):
        yield


def test_too_many_logins_at_once_are_429_on_the_page(browser: Browser, alice: Person, app: Server):
    page = browser.authorize()
    with crowded(app):
        refused = browser.submit(page, username="alice", password=PASSWORD)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert '<p role="alert" id="problem">Too many logins at once.' in refused.text
    assert "code" in handed_over(browser.submit(refused, username="alice", password=PASSWORD))


def test_a_form_that_another_site_sends_is_refused(browser: Browser, alice: Person, database: Database):
    page = browser.authorize()
    browser.forget()  # Another browser, to which nobody showed the page.
    assert is_error_page(browser.submit(page, username="alice", password=PASSWORD))
    browser.authorize()
    assert is_error_page(browser.submit(page, username="alice", password=PASSWORD))
    assert count(database, tables.BrowserSession) == 0


def test_two_pages_in_two_tabs_both_work(browser: Browser, alice: Person):
    first, second = browser.authorize(state="first"), browser.authorize(state="second")
    for page, state in ((first, "first"), (second, "second")):
        assert handed_over(browser.submit(page, username="alice", password=PASSWORD))["state"] == state


def test_a_page_that_was_shown_too_long_ago_is_refused(
    browser: Browser, alice: Person, monkeypatch: pytest.MonkeyPatch
):
    page = browser.authorize()
    shown = time.time()
    monkeypatch.setattr(f"{page_forms.__name__}.time.time", lambda: shown + 1801)
    response = browser.submit(page, username="alice", password=PASSWORD)
    assert is_error_page(response)
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
    assert is_error_page(response)


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
    assert is_error_page(response)


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
