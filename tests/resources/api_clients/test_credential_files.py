"""The credentials of an API client as CSV and ini files."""

import configparser
import csv
import io

import pytest

from opendai.database import Database
from opendai.resources.api_clients import repository as api_clients
from tests.arranging.api_clients import CLIENTS, TOKEN_URL, api_client_rows, create, grant, made
from tests.conftest import Person
from tests.inprocess import TestClient


@pytest.mark.parametrize("path", ["", "/1/secret"])
@pytest.mark.parametrize(
    ("query", "accept"),
    [
        ("", "text/csv"),
        ("?format=csv", "application/json"),
        ("", "text/html, text/csv;q=0.9, */*;q=0.1"),
        ("", "text/csv;q=1, application/json;q=0.5"),
    ],
)
def test_credentials_as_csv(client: TestClient, admin: Person, path: str, query: str, accept: str) -> None:
    if path:
        made(create(client, admin, client_id="client:dai"))
    response = client.post(
        f"{CLIENTS}{path}{query}",
        headers={**admin.bearer, "Accept": accept},
        json={"name": "Nightly", "client_id": "client:dai"},
    )
    assert response.status_code == (200 if path else 201)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="api-client-1.csv"'
    assert response.headers["cache-control"] == "no-store"
    heading, row = csv.reader(io.StringIO(response.text))
    assert heading == ["client_id", "client_secret", "token_url"]
    assert (row[0], row[2]) == ("client:dai", TOKEN_URL)
    issued = {"client_id": row[0], "client_secret": row[1]}
    assert grant(client, issued).status_code == 200


@pytest.mark.parametrize("client_id", ["=1+1", "+1", "-1", "@SUM(1)", '=cmd|",x'])
def test_no_cell_of_the_csv_is_a_formula(client: TestClient, admin: Person, client_id: str) -> None:
    body = {"name": "Nightly", "client_id": client_id}
    response = client.post(f"{CLIENTS}?format=csv", headers=admin.bearer, json=body)
    _, row = csv.reader(io.StringIO(response.text))
    assert row[0] == f"'{client_id}"


def test_no_secret_is_an_option_or_a_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["-begins-like-an-option", "-", "good"])
    monkeypatch.setattr(f"{api_clients.__name__}.secrets.token_urlsafe", lambda _size: next(drawn))
    assert api_clients._new_secret() == "good"


@pytest.mark.parametrize("path", ["", "/1/secret"])
@pytest.mark.parametrize(("query", "accept"), [("", "text/plain"), ("?format=ini", "*/*")])
def test_credentials_of_an_agent_as_ini(
    client: TestClient, admin: Person, path: str, query: str, accept: str
) -> None:
    body = {"name": "Nightly", "client_id": "%(x)s;#=:", "role": "agent"}
    if path:
        made(create(client, admin, **body))
    response = client.post(f"{CLIENTS}{path}{query}", headers={**admin.bearer, "Accept": accept}, json=body)
    assert response.status_code == (200 if path else 201)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="api-client-1.ini"'
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(response.text)
    section = dict(parser["opendai"])
    assert grant(client, {"client_secret": section.pop("client_secret"), **section}).status_code == 200
    assert section == {"url": "http://testserver", "client_id": "%(x)s;#=:", "token_url": TOKEN_URL}


def test_an_ini_file_is_for_agents_alone_and_a_refusal_stores_nothing(
    client: TestClient, admin: Person, database: Database
) -> None:
    body = {"name": "Nightly"}
    response = client.post(f"{CLIENTS}?format=ini", headers=admin.bearer, json=body)
    assert response.status_code == 400
    assert api_client_rows(database) == []
    path = f"{CLIENTS}/{made(create(client, admin))['id']}"
    before = api_client_rows(database)
    response = client.post(f"{path}/secret?format=ini", headers=admin.bearer)
    assert response.json() == {"message": "An ini file is for an API client of the role agent."}
    assert api_client_rows(database) == before


@pytest.mark.parametrize("query", ["?format=xml", "?format=", "?format=CSV"])
def test_another_format_is_refused(client: TestClient, admin: Person, database: Database, query: str) -> None:
    response = client.post(CLIENTS + query, headers=admin.bearer, json={"name": "Nightly"})
    assert response.status_code == 400
    assert api_client_rows(database) == []


@pytest.mark.parametrize(
    "accept",
    ["", "*/*", "application/json, text/plain, */*", "text/html", "text/csv;q=0", "text/csv;q=x", ";;,=,q=1"],
)
def test_without_a_wish_for_a_file_it_is_json(client: TestClient, admin: Person, accept: str) -> None:
    response = client.post(CLIENTS, headers={**admin.bearer, "Accept": accept}, json={"name": "Nightly"})
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/json"
