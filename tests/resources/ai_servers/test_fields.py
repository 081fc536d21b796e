"""/api/rest/latest/ai-servers: fields that are not allowed, and addresses that are."""

import json
from typing import Any

import pytest

from opendai.database import Database
from tests.conftest import Person
from tests.inprocess import TestClient
from tests.resources.ai_servers.asking import GIVEN, SERVERS, create, names, wrong

BAD_FIELDS: list[tuple[str, Any]] = [
    *[("name", value) for value in ("", " \n ", "a" * 51, "a\nb", "a\0b", "\ud800", None, 1, ["a"])],
    *[
        ("url", value)
        for value in ("", "  ", "llm.example", "https://", "ftp://llm.example", "https:/llm.example")
    ],
    *[
        ("url", value)
        for value in ("https://a b.example", "https://llm.example/a b", "https://llm.example/#a")
    ],
    *[
        ("url", value)
        for value in ("https://me:pass@llm.example", "https://llm.example:0", "https://llm.example:x")
    ],
    *[
        ("url", value)
        for value in ("https://llm.example:65536", "https://l\\m.example", "https://[::1", None, 7)
    ],
    *[
        ("url", value)
        for value in ("https://llm.example/" + "a" * 236, "https://l\0m.example", "javascript:x")
    ],
    *[("url", value) for value in ("https://127.0.0.1", "http://localhost:11434/v1", "http://a.localhost.")],
    *[
        ("url", value)
        for value in ("http://127.1", "http://2130706433", "http://0x7f000001", "http://0177.0.0.1")
    ],
    *[("url", value) for value in ("http://10.0.0.9", "http://169.254.169.254/latest", "http://[::1]:8080")],
    *[
        ("url", value)
        for value in ("http://[::ffff:127.0.0.1]", "http://[64:ff9b::7f00:1]", "http://①②⑦.⓪.⓪.①")
    ],
    *[
        ("url", value)
        for value in ("http://0", "http://%31%32%37.0.0.1", "http://[fe80::1%25eth0]", "HTTP://127.0.0.1")
    ],
    *[("description", value) for value in (1, "a\0b", "\udfff", "a" * 65_537, {"a": 1})],
    *[("payload_template", value) for value in (1, "a\0b", "\udfff", "a" * 65_537, {"a": 1})],
    *[("json_path", value) for value in ("a..b", "a[-1]", "$..a", "a[?(@.x)]", "a" * 201, 1, "a\0b")],
    *[
        ("authentication_header", value)
        for value in ("", "a b", "a:b", "X-Ä", "Host", "content-length", "a\r\nb", 1)
    ],
    *[
        ("authentication_header", value)
        for value in ("Transfer-Encoding", "x" * 65, "Cookie", "Proxy-Authorization")
    ],
    *[("authentication_scheme", value) for value in ("a b", "a\r\nb", "ä", "x" * 65, 1)],
    *[("timeout_seconds", value) for value in (0, 301, -1, 1.5, "soon", "60", 60.0, 2**63, True)],
]


@pytest.mark.parametrize(("field", "value"), BAD_FIELDS)
def test_a_field_that_cannot_be_is_412_and_changes_nothing(
    client: TestClient, admin: Person, database: Database, field: str, value: Any
) -> None:
    create(client, admin)
    before = client.get(f"{SERVERS}/1", headers=admin.bearer).json()
    headers = {**admin.bearer, "Content-Type": "application/json"}
    content = json.dumps({**GIVEN, "name": "b", field: value})
    for method, path in (("POST", SERVERS), ("PATCH", f"{SERVERS}/1")):
        response = client.request(method, path, headers=headers, content=content)
        assert response.status_code == 412, response.text
        assert wrong(field, response.json())["objectName"] == "ai-server"
    assert client.get(f"{SERVERS}/1", headers=admin.bearer).json() == before
    assert names(database) == ["House model"]


def test_a_short_value_is_repeated_in_the_refusal_and_no_other(client: TestClient, admin: Person) -> None:
    for value, repeated in (("a" * 51, "a" * 51), (7, 7), ("a\0", None), ("a" * 256, None), ({"a": 1}, None)):
        response = client.post(SERVERS, headers=admin.bearer, json={**GIVEN, "name": value})
        assert wrong("name", response.json())["fieldValue"] == repeated
    content = b'{"name": NaN, "url": "https://llm.example"}'
    response = client.post(
        SERVERS, headers={**admin.bearer, "Content-Type": "application/json"}, content=content
    )
    assert wrong("name", response.json())["fieldValue"] is None


def test_every_wrong_field_is_named(client: TestClient, admin: Person) -> None:
    response = client.post(SERVERS, headers=admin.bearer, json={"name": " ", "timeout_seconds": 0})
    assert response.status_code == 412
    faults = response.json()["fieldValidationErrors"]
    assert [fault["fieldName"] for fault in faults] == ["name", "url", "timeout_seconds"]


def test_the_addresses_that_a_setting_allows(client: TestClient, admin: Person, hal: Any) -> None:
    hal(ai_server_allowed_hosts="LLM.localhost, 10.0.0.0/8,[fd00::]/8")
    allowed = ["http://llm.localhost/v1", "https://10.1.2.3:8080/", "http://[fd00::1]/"]
    for number, url in enumerate(allowed):
        assert create(client, admin, name=str(number), url=url)["url"] == url
    for url in ("http://localhost/v1", "http://192.168.0.1/", "http://[::1]/"):
        response = client.post(SERVERS, headers=admin.bearer, json={**GIVEN, "url": url})
        assert wrong("url", response.json())["errorMessage"].startswith("names a private address")
