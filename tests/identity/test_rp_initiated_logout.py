"""A program shows an ID token, and its person is logged out at once: here, there, and sent nowhere unregistered."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from sqlalchemy import update

from opendai import tables
from opendai.api.server import Server
from opendai.auth.logins import token_for_user
from opendai.credentials.keys import fresh_pair
from opendai.database import Database
from opendai.tables.columns import now
from tests.arranging.browsing import RETURN, LoginClient, handed_over, make_login, make_login_client
from tests.arranging.visiting import LOGOUT, LONG, Visit, asks, is_farewell, is_logout_refusal
from tests.conftest import Person
from tests.inprocess import TestClient


def test_a_program_logs_its_person_out_and_has_the_browser_back(
    shop_visit: Visit, count_remaining: Callable[[], tuple[int, int]]
):
    response = shop_visit.log_out(id_token_hint=shop_visit.hint, post_logout_redirect_uri=RETURN, state="a b")
    assert handed_over(response) == {"state": "a b"}
    assert count_remaining() == (0, 0)
    assert "<h1>Log in</h1>" in shop_visit.browser.authorize().text


def test_without_a_state_the_address_is_gone_to_as_it_is(shop_visit: Visit):
    response = shop_visit.log_out(id_token_hint=shop_visit.hint, post_logout_redirect_uri=RETURN)
    assert response.headers["location"] == RETURN


def test_a_program_may_send_the_browser_by_a_form(
    shop_visit: Visit, count_remaining: Callable[[], tuple[int, int]]
):
    fields = {
        "id_token_hint": shop_visit.hint,
        "post_logout_redirect_uri": RETURN,
        "state": "s",
        "client_id": "shop-id",
    }
    # Browsers send no cookie along with a form of another site.
    shop_visit.browser.forget()
    response = shop_visit.browser.client.post(LOGOUT, data=fields)
    assert handed_over(response) == {"state": "s"}
    assert count_remaining() == (0, 0)


def test_a_form_without_a_good_id_token_logs_nobody_out(
    shop_visit: Visit, count_remaining: Callable[[], tuple[int, int]]
):
    fields = {"id_token_hint": "x.y.z", "client_id": "shop-id", "post_logout_redirect_uri": RETURN}
    assert asks(shop_visit.browser.client.post(LOGOUT, data=fields))
    elsewhere = {"id_token_hint": shop_visit.hint, "post_logout_redirect_uri": "https://evil.example/"}
    assert is_logout_refusal(shop_visit.browser.client.post(LOGOUT, data=elsewhere))
    assert count_remaining() == (1, 1)


def test_without_an_address_a_page_says_so(shop_visit: Visit, count_remaining: Callable[[], tuple[int, int]]):
    assert is_farewell(shop_visit.log_out(id_token_hint=shop_visit.hint))
    assert count_remaining() == (0, 0)


def test_tokens_of_the_login_are_refused_at_once(
    shop_visit: Visit, client: TestClient, alice: Person, database: Database, app: Server
):
    with database.reading() as session:
        user = session.get_one(tables.User, alice.id)
        login = session.get_one(tables.Login, shop_visit.login)
    token, _ = token_for_user(app.state.parts.tokens, user, login, lifetime=600)
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/ai/agents", headers=bearer).status_code == 200
    shop_visit.log_out(id_token_hint=shop_visit.hint)
    assert client.get("/ai/agents", headers=bearer).status_code == 401
    assert client.get("/ai/agents", headers=alice.bearer).status_code == 200


def test_an_id_token_that_has_run_out_is_good_enough(
    shop_visit: Visit, count_remaining: Callable[[], tuple[int, int]]
):
    assert is_farewell(shop_visit.log_out(id_token_hint=shop_visit.sign(exp=int(time.time()) - 86_400)))
    assert count_remaining() == (0, 0)


def test_a_program_elsewhere_ends_the_session_too(
    shop_visit: Visit, count_remaining: Callable[[], tuple[int, int]]
):
    hint = shop_visit.hint
    shop_visit.browser.forget()
    assert is_farewell(shop_visit.log_out(id_token_hint=hint))
    assert count_remaining() == (0, 0)


def test_a_login_that_has_ended_before_ends_the_same_persons_session(
    shop_visit: Visit, count_remaining: Callable[[], tuple[int, int]]
):
    hint = shop_visit.sign(sid="00000000-0000-4000-8000-000000000000")
    response = shop_visit.log_out(id_token_hint=hint, post_logout_redirect_uri=RETURN)
    assert response.headers["location"] == RETURN
    assert count_remaining() == (0, 0)


def test_a_login_without_a_browser_ends_alone(
    shop_visit: Visit,
    bob: Person,
    shop_client: LoginClient,
    database: Database,
    count_remaining: Callable[[], tuple[int, int]],
):
    login = make_login(database, bob, shop_client, None)
    hint = shop_visit.sign(sid=login, sub=f"user:{bob.id}")
    assert is_farewell(shop_visit.log_out(id_token_hint=hint))
    # Alice's browser is not Bob's.
    assert count_remaining() == (1, 1)
    with database.reading() as session:
        assert session.get(tables.Login, login) is None


def test_somebody_elses_login_is_not_ended(
    shop_visit: Visit, bob: Person, count_remaining: Callable[[], tuple[int, int]]
):
    assert is_farewell(shop_visit.log_out(id_token_hint=shop_visit.sign(sub=f"user:{bob.id}")))
    assert count_remaining() == (1, 1)


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
    shop_visit: Visit, count_remaining: Callable[[], tuple[int, int]], uri: Any
):
    assert is_logout_refusal(shop_visit.log_out(id_token_hint=shop_visit.hint, post_logout_redirect_uri=uri))
    assert is_logout_refusal(shop_visit.log_out(client_id="shop-id", post_logout_redirect_uri=uri))
    assert count_remaining() == (1, 1)
    shop_visit.browser.forget()
    assert is_logout_refusal(shop_visit.log_out(client_id="shop-id", post_logout_redirect_uri=uri))


def test_an_address_of_another_client_is_not_gone_to(
    shop_visit: Visit, database: Database, count_remaining: Callable[[], tuple[int, int]]
):
    make_login_client(database, "bank", "https://bank.example.com/")
    address = "https://bank.example.com/"
    assert is_logout_refusal(
        shop_visit.log_out(id_token_hint=shop_visit.hint, post_logout_redirect_uri=address)
    )
    assert is_logout_refusal(
        shop_visit.log_out(
            id_token_hint=shop_visit.hint, client_id="bank-id", post_logout_redirect_uri=address
        )
    )
    assert count_remaining() == (1, 1)


def test_an_address_of_a_client_that_was_revoked_is_not_gone_to(shop_visit: Visit, database: Database):
    with database.writing() as session:
        session.execute(update(tables.ApiClient).values(revoked_at=now()))
    assert is_logout_refusal(
        shop_visit.log_out(id_token_hint=shop_visit.hint, post_logout_redirect_uri=RETURN)
    )


def _signed_with_bytes(secret: bytes, kid: str | None, body: str) -> str:
    header = json.dumps({"alg": "HS256", "kid": kid}).encode()
    text = f"{base64.urlsafe_b64encode(header).decode().rstrip('=')}.{body}"
    mac = hmac.digest(secret, text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def _forgeries(shop_visit: Visit, app: Server, alice: Person) -> dict[str, str]:
    key = app.state.parts.keys.signing
    foreign = fresh_pair()
    header = {"alg": "RS256", "kid": key.kid}
    head, body, signature = shop_visit.hint.split(".")
    return {
        "no token": "x",
        "an empty signature": f"{head}.{body}.",
        "another body": f"{head}.{body[:-2]}AA.{signature}",
        "a foreign key": jwt.encode(header, shop_visit.claims, foreign),
        "a foreign key that it brings along": jwt.encode(
            {**header, "jwk": foreign.as_dict(private=False)}, shop_visit.claims, foreign
        ),
        "an unknown kid": jwt.encode({**header, "kid": "x"}, shop_visit.claims, key),
        "no kid": jwt.encode({"alg": "RS256"}, shop_visit.claims, key),
        "our public key as a secret": _signed_with_bytes(key.as_pem(private=False), key.kid, body),
        "another issuer": shop_visit.sign(iss="http://evil.example"),
        "an access token": shop_visit.sign(typ="Bearer"),
        "an access token of ours": alice.bearer["Authorization"].removeprefix("Bearer "),
        "a program": shop_visit.sign(sub="client:1"),
        "a number for a subject": shop_visit.sign(sub=7),
        "no session": jwt.encode(header, {**shop_visit.claims, "sid": None, "sub": None}, key),
        "too long": shop_visit.sign(padding=LONG),
        "NUL": f"{shop_visit.hint}\0",
    }


def test_what_is_no_id_token_of_ours_is_no_hint(
    shop_visit: Visit, alice: Person, app: Server, count_remaining: Callable[[], tuple[int, int]]
):
    for name, hint in _forgeries(shop_visit, app, alice).items():
        response = shop_visit.log_out(id_token_hint=hint, post_logout_redirect_uri=RETURN)
        assert asks(response), name
        assert count_remaining() == (1, 1), name
    assert asks(shop_visit.log_out(id_token_hint=[shop_visit.hint, shop_visit.hint]))
    assert count_remaining() == (1, 1)
