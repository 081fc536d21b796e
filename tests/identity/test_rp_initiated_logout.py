"""A program shows an ID token, and its person is logged out at once: here, there, and sent nowhere unregistered."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from joserfc import jwt
from sqlalchemy import update

from opendai import tables
from opendai.auth.logins import token_for_user
from opendai.credentials.keys import fresh_pair
from opendai.database import Database
from opendai.tables.columns import now
from tests.arranging.browsing import RETURN, LoginClient, handed_over, make_login, make_login_client
from tests.arranging.visiting import LOGOUT, LONG, Visit, asks, is_farewell, is_logout_refusal
from tests.conftest import Person
from tests.inprocess import TestClient


def test_a_program_logs_its_person_out_and_has_the_browser_back(
    visit: Visit, rows: Callable[[], tuple[int, int]]
):
    response = visit.log_out(id_token_hint=visit.hint, post_logout_redirect_uri=RETURN, state="a b")
    assert handed_over(response) == {"state": "a b"}
    assert rows() == (0, 0)
    assert "<h1>Log in</h1>" in visit.browser.authorize().text


def test_without_a_state_the_address_is_gone_to_as_it_is(visit: Visit):
    response = visit.log_out(id_token_hint=visit.hint, post_logout_redirect_uri=RETURN)
    assert response.headers["location"] == RETURN


def test_a_program_may_send_the_browser_by_a_form(visit: Visit, rows: Callable[[], tuple[int, int]]):
    fields = {
        "id_token_hint": visit.hint,
        "post_logout_redirect_uri": RETURN,
        "state": "s",
        "client_id": "shop-id",
    }
    # Browsers send no cookie along with a form of another site.
    visit.browser.forget()
    response = visit.browser.client.post(LOGOUT, data=fields)
    assert handed_over(response) == {"state": "s"}
    assert rows() == (0, 0)


def test_a_form_without_a_good_id_token_logs_nobody_out(visit: Visit, rows: Callable[[], tuple[int, int]]):
    fields = {"id_token_hint": "x.y.z", "client_id": "shop-id", "post_logout_redirect_uri": RETURN}
    assert asks(visit.browser.client.post(LOGOUT, data=fields))
    elsewhere = {"id_token_hint": visit.hint, "post_logout_redirect_uri": "https://evil.example/"}
    assert is_logout_refusal(visit.browser.client.post(LOGOUT, data=elsewhere))
    assert rows() == (1, 1)


def test_without_an_address_a_page_says_so(visit: Visit, rows: Callable[[], tuple[int, int]]):
    assert is_farewell(visit.log_out(id_token_hint=visit.hint))
    assert rows() == (0, 0)


def test_tokens_of_the_login_are_refused_at_once(
    visit: Visit, client: TestClient, alice: Person, database: Database, app: FastAPI
):
    with database.reading() as session:
        user, login = session.get(tables.User, alice.id), session.get(tables.Login, visit.login)
    token, _ = token_for_user(app.state.parts.tokens, user, login, lifetime=600)
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/ai/agents", headers=bearer).status_code == 200
    visit.log_out(id_token_hint=visit.hint)
    assert client.get("/ai/agents", headers=bearer).status_code == 401
    assert client.get("/ai/agents", headers=alice.bearer).status_code == 200


def test_an_id_token_that_has_run_out_is_good_enough(visit: Visit, rows: Callable[[], tuple[int, int]]):
    assert is_farewell(visit.log_out(id_token_hint=visit.sign(exp=int(time.time()) - 86_400)))
    assert rows() == (0, 0)


def test_a_program_elsewhere_ends_the_session_too(visit: Visit, rows: Callable[[], tuple[int, int]]):
    hint = visit.hint
    visit.browser.forget()
    assert is_farewell(visit.log_out(id_token_hint=hint))
    assert rows() == (0, 0)


def test_a_login_that_has_ended_before_ends_the_same_persons_session(
    visit: Visit, rows: Callable[[], tuple[int, int]]
):
    hint = visit.sign(sid="00000000-0000-4000-8000-000000000000")
    response = visit.log_out(id_token_hint=hint, post_logout_redirect_uri=RETURN)
    assert response.headers["location"] == RETURN
    assert rows() == (0, 0)


def test_a_login_without_a_browser_ends_alone(
    visit: Visit, bob: Person, shop: LoginClient, database: Database, rows: Callable[[], tuple[int, int]]
):
    login = make_login(database, bob, shop, None)
    hint = visit.sign(sid=login, sub=f"user:{bob.id}")
    assert is_farewell(visit.log_out(id_token_hint=hint))
    # Alice's browser is not Bob's.
    assert rows() == (1, 1)
    with database.reading() as session:
        assert session.get(tables.Login, login) is None


def test_somebody_elses_login_is_not_ended(visit: Visit, bob: Person, rows: Callable[[], tuple[int, int]]):
    assert is_farewell(visit.log_out(id_token_hint=visit.sign(sub=f"user:{bob.id}")))
    assert rows() == (1, 1)


@pytest.mark.parametrize(
    "uri",
    [
        f"{RETURN}/",
        f"{RETURN}#x",
        f"{RETURN}?x=1",
        "https://evil.example/",
        "https://shop.example.com.evil.example/back",
        "https://shop.example.com@evil.example/back",
        "//evil.example/",
        "\\\\evil.example",
        "javascript:alert(1)",
        f"{RETURN}\r\nX: y",
        "\0",
        "*",
        LONG,
        [RETURN, "https://evil.example/"],
        [RETURN, RETURN],
    ],
)
def test_nobody_is_sent_to_what_was_not_registered(
    visit: Visit, rows: Callable[[], tuple[int, int]], uri: Any
):
    assert is_logout_refusal(visit.log_out(id_token_hint=visit.hint, post_logout_redirect_uri=uri))
    assert is_logout_refusal(visit.log_out(client_id="shop-id", post_logout_redirect_uri=uri))
    assert rows() == (1, 1)
    visit.browser.forget()
    assert is_logout_refusal(visit.log_out(client_id="shop-id", post_logout_redirect_uri=uri))


def test_an_address_of_another_client_is_not_gone_to(
    visit: Visit, database: Database, rows: Callable[[], tuple[int, int]]
):
    make_login_client(database, "bank", "https://bank.example.com/")
    address = "https://bank.example.com/"
    assert is_logout_refusal(visit.log_out(id_token_hint=visit.hint, post_logout_redirect_uri=address))
    assert is_logout_refusal(
        visit.log_out(id_token_hint=visit.hint, client_id="bank-id", post_logout_redirect_uri=address)
    )
    assert rows() == (1, 1)


def test_an_address_of_a_client_that_was_revoked_is_not_gone_to(visit: Visit, database: Database):
    with database.writing() as session:
        session.execute(update(tables.ApiClient).values(revoked_at=now()))
    assert is_logout_refusal(visit.log_out(id_token_hint=visit.hint, post_logout_redirect_uri=RETURN))


def _signed_with_bytes(secret: bytes, kid: str, body: str) -> str:
    header = json.dumps({"alg": "HS256", "kid": kid}).encode()
    text = f"{base64.urlsafe_b64encode(header).decode().rstrip('=')}.{body}"
    mac = hmac.digest(secret, text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def _forgeries(visit: Visit, app: FastAPI, alice: Person) -> dict[str, str]:
    key = app.state.parts.keys.signing
    foreign = fresh_pair()
    header = {"alg": "RS256", "kid": key.kid}
    head, body, signature = visit.hint.split(".")
    return {
        "no token": "x",
        "an empty signature": f"{head}.{body}.",
        "another body": f"{head}.{body[:-2]}AA.{signature}",
        "a foreign key": jwt.encode(header, visit.claims, foreign),
        "a foreign key that it brings along": jwt.encode(
            {**header, "jwk": foreign.as_dict(private=False)}, visit.claims, foreign
        ),
        "an unknown kid": jwt.encode({**header, "kid": "x"}, visit.claims, key),
        "no kid": jwt.encode({"alg": "RS256"}, visit.claims, key),
        "our public key as a secret": _signed_with_bytes(key.as_pem(private=False), key.kid, body),
        "another issuer": visit.sign(iss="http://evil.example"),
        "an access token": visit.sign(typ="Bearer"),
        "an access token of ours": alice.bearer["Authorization"].removeprefix("Bearer "),
        "a program": visit.sign(sub="client:1"),
        "a number for a subject": visit.sign(sub=7),
        "no session": jwt.encode(header, {**visit.claims, "sid": None, "sub": None}, key),
        "too long": visit.sign(padding=LONG),
        "NUL": f"{visit.hint}\0",
    }


def test_what_is_no_id_token_of_ours_is_no_hint(
    visit: Visit, alice: Person, app: FastAPI, rows: Callable[[], tuple[int, int]]
):
    for name, hint in _forgeries(visit, app, alice).items():
        response = visit.log_out(id_token_hint=hint, post_logout_redirect_uri=RETURN)
        assert asks(response), name
        assert rows() == (1, 1), name
    assert asks(visit.log_out(id_token_hint=[visit.hint, visit.hint]))
    assert rows() == (1, 1)
