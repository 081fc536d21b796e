"""/api/rest/latest/ai-servers: pages, their links, their order, and the fields that are asked for."""

from typing import Any

import pytest

from tests.conftest import Person
from tests.inprocess import TestClient
from tests.resources.ai_servers.asking import GIVEN, SERVERS, create, link

PAGE = f"http://testserver{SERVERS}"


@pytest.fixture
def five(client: TestClient, admin: Person) -> None:
    """Five servers, by id: e, d, c, b, a."""
    for number, name in enumerate("edcba"):
        description = None if name == "c" else f"{'xXyYz'[number]}"
        create(client, admin, name=name, url=f"https://{name}.example/", description=description)


def ask(client: TestClient, person: Person, query: str) -> Any:
    response = client.get(f"{SERVERS}{query}", headers=person.bearer)
    assert response.status_code == 200, response.text
    return response.json()


def links(body: Any) -> list[tuple[str, str]]:
    return [(relation, entry["href"].removeprefix(f"{PAGE}?")) for relation, entry in body["_links"].items()]


def order(body: Any) -> str:
    return "".join(server["name"] for server in body["_embedded"]["ai-servers"])


def test_without_servers_there_is_nothing_embedded(client: TestClient, alice: Person) -> None:
    assert ask(client, alice, "") == {
        "_links": {"self": {"href": f"{PAGE}?page=0&size=20"}},
        "page": {"size": 20, "totalElements": 0, "totalPages": 0, "number": 0},
    }


def test_a_single_page_links_to_itself(client: TestClient, alice: Person, five: None) -> None:
    body = ask(client, alice, "")
    assert list(body) == ["_embedded", "_links", "page"]
    assert order(body) == "edcba"
    assert links(body) == [("self", "page=0&size=20")]
    assert body["page"] == {"size": 20, "totalElements": 5, "totalPages": 1, "number": 0}
    single = client.get(f"{SERVERS}/1", headers=alice.bearer).json()
    assert body["_embedded"]["ai-servers"][0] == single


@pytest.mark.parametrize(
    ("page", "shown", "relations"),
    [
        (0, "ed", {"first": 0, "self": 0, "next": 1, "last": 2}),
        (1, "cb", {"first": 0, "prev": 0, "self": 1, "next": 2, "last": 2}),
        (2, "a", {"first": 0, "prev": 1, "self": 2, "last": 2}),
        (3, "", {"first": 0, "prev": 2, "self": 3, "last": 2}),
        (2**31 - 1, "", {"first": 0, "prev": 2**31 - 2, "self": 2**31 - 1, "last": 2}),
    ],
)
def test_pages_are_linked_in_order(
    client: TestClient, alice: Person, five: None, page: int, shown: str, relations: dict[str, int]
) -> None:
    body = ask(client, alice, f"?size=2&page={page}")
    assert links(body) == [(relation, f"page={number}&size=2") for relation, number in relations.items()]
    assert body["page"] == {"size": 2, "totalElements": 5, "totalPages": 3, "number": page}
    assert ("_embedded" in body) == bool(shown)
    assert not shown or order(body) == shown


@pytest.mark.parametrize(
    ("query", "number", "size"),
    [
        ("page=-1", 0, 20),
        ("page=x", 0, 20),
        ("page=", 0, 20),
        ("page=1.5", 0, 20),
        ("page=%2B1", 0, 20),
        ("page=%00", 0, 20),
        ("page=2147483648", 0, 20),
        ("page=99999999999999999999", 0, 20),
        ("size=0", 0, 20),
        ("size=-5", 0, 20),
        ("size=x", 0, 20),
        ("size=", 0, 20),
        ("size=2001", 0, 2000),
        ("size=2147483647", 0, 2000),
        ("size=2147483648", 0, 20),
        ("size=99999999999", 0, 20),
    ],
)
def test_a_page_that_cannot_be_is_never_refused(
    client: TestClient, alice: Person, five: None, query: str, number: int, size: int
) -> None:
    body = ask(client, alice, f"?{query}")
    assert (body["page"]["number"], body["page"]["size"]) == (number, size)
    assert links(body) == [("self", f"page={number}&size={size}")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("size=7&fields=name,url&page=0&type=x", "fields=name,url&type=x&page=0&size=7"),
        ("type=a%20b%26c%3Dd&x=%C3%A4&x=2", "type=a%20b%26c%3Dd&x=%C3%A4&x=2&page=0&size=20"),
        ("flag&sort=name", "flag=&page=0&size=20&sort=name,asc"),
        ("a=%0D%0Ab%22%3E%3Cscript%3E", "a=%0D%0Ab%22%3E%3Cscript%3E&page=0&size=20"),
        ("a=%FF%00", "a=%EF%BF%BD%00&page=0&size=20"),
    ],
)
def test_a_link_keeps_what_else_was_asked(
    client: TestClient, alice: Person, query: str, expected: str
) -> None:
    assert links(ask(client, alice, f"?{query}")) == [("self", expected)]


def test_links_are_of_the_public_address_whatever_the_host_header_says(
    client: TestClient, alice: Person, five: None
) -> None:
    headers = {
        **alice.bearer,
        "Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil",
    }
    assert "evil" not in client.get(f"{SERVERS}?size=2", headers=headers).text


def test_links_begin_with_the_path_of_the_public_address(
    client: TestClient, alice: Person, five: None, hal: Any
) -> None:
    hal(public_url="https://qa.example/opendai")
    href = ask(client, alice, "")["_embedded"]["ai-servers"][0]["_links"]["self"]["href"]
    assert href == f"https://qa.example/opendai{SERVERS}/1"


@pytest.mark.parametrize(
    ("sort", "written", "shown"),
    [
        (["name"], ["name,asc"], "abcde"),
        (["name,desc"], ["name,desc"], "edcba"),
        (["name,DESC"], ["name,desc"], "edcba"),
        (["id,desc"], ["id,desc"], "abcde"),
        (["description"], ["description,asc"], None),
        (["description,asc,ignorecase"], ["description,asc,ignorecase"], "cedba"),
        (["description,desc,ignorecase", "name"], ["description,desc,ignorecase", "name,asc"], "abdec"),
        (["description,ignorecase"], ["description,asc,ignorecase"], "cedba"),
        (["created_by", "name"], ["created_by,name,asc"], "abcde"),
        (["created_by,name,desc"], ["created_by,name,desc"], "edcba"),
        (["created_by,desc", "name", "url"], ["created_by,desc", "name,url,asc"], "abcde"),
        (["authentication_policy,desc", "name"], ["authentication_policy,desc", "name,asc"], "abcde"),
        (["created_on", "last_modified_by"], ["created_on,last_modified_by,asc"], "edcba"),
        (["id,ignorecase"], ["id,asc,ignorecase"], "edcba"),
        (["name", "name,desc", "name"], ["name,asc"], "abcde"),
        ([",".join(["name"] * 2000)], ["name,asc"], "abcde"),
        (["timeout_seconds,asc"], ["timeout_seconds,asc"], "edcba"),
        ([" name , desc "], ["name,desc"], "edcba"),
        (["", "desc", ",", "ignorecase"], [], "edcba"),
    ],
)
def test_sorting(
    client: TestClient, alice: Person, five: None, sort: list[str], written: list[str], shown: str | None
) -> None:
    response = client.get(SERVERS, headers=alice.bearer, params={"sort": sort})
    assert response.status_code == 200, response.text
    expected = "&".join(["page=0", "size=20", *(f"sort={text}" for text in written)])
    assert links(response.json()) == [("self", expected)]
    # How small and capital letters mix is the database's own affair.
    assert shown is None or order(response.json()) == shown


def test_a_link_leads_to_the_next_page_of_the_same_order(
    client: TestClient, alice: Person, five: None
) -> None:
    first = ask(client, alice, "?size=3&sort=name,asc,ignorecase&fields=name")
    following = client.get(first["_links"]["next"]["href"], headers=alice.bearer).json()
    assert (order(first), order(following)) == ("abc", "de")


@pytest.mark.parametrize(
    "sort", ["token", "nothing", "name,up", "Name", "_links", "name;desc", "name\0", "id asc"]
)
def test_an_unknown_field_to_sort_by_is_400(client: TestClient, alice: Person, sort: str) -> None:
    response = client.get(SERVERS, headers=alice.bearer, params={"sort": sort})
    assert response.status_code == 400
    assert response.json()["message"].startswith("sort: must name fields of id, name, url, ")


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ("name,url", ["id", "name", "url", "_links"]),
        ("url, name", ["id", "name", "url", "_links"]),
        ("unknown", ["id", "_links"]),
        ("id,token,authentication_policy", ["id", "authentication_policy", "_links"]),
        ("timeout_seconds,authentication_header", ["id", "timeout_seconds", "_links"]),
    ],
)
def test_the_fields_that_are_asked_for(
    client: TestClient, admin: Person, fields: str, shown: list[str]
) -> None:
    query = {"fields": fields}
    body = {**GIVEN, "timeout_seconds": 9}
    created = client.post(SERVERS, headers=admin.bearer, params=query, json=body)
    assert (created.status_code, list(created.json())) == (201, shown)
    listed = client.get(SERVERS, headers=admin.bearer, params=query).json()
    assert listed["_embedded"]["ai-servers"] == [created.json()]
    assert list(listed["page"]) == ["size", "totalElements", "totalPages", "number"]
    single = client.get(f"{SERVERS}/1", headers=admin.bearer, params=query).json()
    changed = client.patch(f"{SERVERS}/1", headers=admin.bearer, params=query, json={}).json()
    assert single == changed == created.json()
    assert created.json()["_links"] == link("/1")


@pytest.mark.parametrize("fields", ["", ",", " "])
def test_no_fields_are_all(client: TestClient, admin: Person, fields: str) -> None:
    created = create(client, admin)
    assert client.get(f"{SERVERS}/1", headers=admin.bearer, params={"fields": fields}).json() == created
