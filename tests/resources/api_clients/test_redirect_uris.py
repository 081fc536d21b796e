"""The addresses that a login may lead back to."""

from typing import Any

import pytest

from opendai.database import Database
from tests.arranging.api_clients import CALLBACK, api_client_rows, create, made
from tests.conftest import Person
from tests.inprocess import TestClient


@pytest.mark.parametrize(
    "uri",
    [
        "http://app.example.com/callback",
        "http://127.0.0.1.example.com/",
        "https://app.example.com/callback#part",
        "https://app.example.com/#",
        "https://user@app.example.com/",
        "https://user:word@app.example.com/",
        "https://@app.example.com/",
        "https://*.example.com/",
        "https://app.example.com/*",
        "https://app.example.com\\@evil.example/",
        "https:///callback",
        "https://",
        "https:app.example.com",
        "https://app.example.com:99999/",
        "https://app.example.com:x/",
        "https://[::1/",
        "//app.example.com/",
        "/callback",
        "callback",
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "com.example.app:/callback",
        "ftp://app.example.com/",
        "https://app.example.com/a b",
        "https://app.example.com/\r\nX: y",
        "https://app.example.com/\u0000",
        "https://äpp.example.com/",
        " https://app.example.com/",
        "https://app.example.com/" + "x" * 1980,
        7,
    ],
)
def test_a_redirect_uri_is_an_address_and_nothing_else(
    client: TestClient, admin: Person, database: Database, uri: Any
) -> None:
    response = create(client, admin, role="login", redirect_uris=[CALLBACK, uri])
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "redirect_uris.1"
    assert api_client_rows(database) == []


def test_redirect_uris_that_may_be(client: TestClient, admin: Person) -> None:
    uris = [
        CALLBACK,
        "https://app.example.com:8443/callback?from=dai&x=%2F",
        "http://localhost/callback",
        "http://127.0.0.1:8080/",
        "http://[::1]/callback",
        "https://app.example.com/" + "x" * 1976,
    ]
    assert made(create(client, admin, role="login", redirect_uris=uris))["redirect_uris"] == uris
    twenty_one = [f"{CALLBACK}/{number}" for number in range(21)]
    response = create(client, admin, name="other", redirect_uris=twenty_one)
    assert response.status_code == 400
    assert made(create(client, admin, name="other", redirect_uris=twenty_one[:20]))["id"] == 2
