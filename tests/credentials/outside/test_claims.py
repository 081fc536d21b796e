"""The claims of an outside identity provider's tokens decide the name, the role and the groups of a person."""

import time
from typing import Any

import pytest

from opendai.database import Database
from tests.conftest import Person
from tests.credentials.outside.provider import RSA, Provider, TokenOf, Use, bearer, me, people, sign
from tests.inprocess import TestClient


@pytest.mark.parametrize(
    ("roles", "status", "role"),
    [
        (("admin", "user"), 200, "Admin"),
        (("admin",), 200, "Admin"),
        (("user",), 403, "User"),
        ((), 403, "None"),
        (("ADMIN",), 403, "None"),
    ],
)
def test_the_roles_of_the_token_make_the_role(
    client: TestClient, database: Database, token: TokenOf, roles: tuple[str, ...], status: int, role: str
) -> None:
    assert client.get("/ai/users", headers=token("erin", *roles)).status_code == status
    assert people(database) == {"erin": (role, ["erin"])}


@pytest.mark.parametrize(
    ("chosen", "claims", "role"),
    [
        ({"oidc_roles_claim": "roles"}, {"roles": "admin"}, "Admin"),
        ({"oidc_roles_claim": "roles"}, {"roles": {"admin": True}}, "None"),
        ({"oidc_roles_claim": "https://x.example/roles"}, {"https://x.example/roles": ["user"]}, "User"),
        ({"oidc_roles_claim": "a.b.c"}, {"a": {"b": {"c": ["user"]}}}, "User"),
        ({"oidc_roles_claim": "a.b.c"}, {"a": {"b": ["user"]}}, "None"),
        ({"oidc_roles_claim": "a.b"}, {"a": "user"}, "None"),
        ({"oidc_admin_role": "boss"}, {"realm_access": {"roles": ["boss", 7, None]}}, "Admin"),
        ({"oidc_user_role": "tester"}, {"realm_access": {"roles": ["user"]}}, "None"),
        ({}, {"realm_access": None}, "None"),
    ],
)
def test_settings_name_the_claims(
    client: TestClient,
    database: Database,
    use: Use,
    provider: Provider,
    chosen: dict[str, str],
    claims: dict[str, Any],
    role: str,
) -> None:
    use(oidc_username_claim="upn", oidc_audience="opendai", **chosen)
    given = provider.claims("ignored", upn="erin@example.com", aud="opendai", **claims)
    assert me(client, bearer(sign(given, RSA)))[0] == 200
    assert people(database) == {"erin@example.com": (role, ["erin@example.com"])}


def test_groups_follow_the_claim_where_there_is_one(
    client: TestClient, database: Database, token: TokenOf, alice: Person, bob: Person
) -> None:
    now = int(time.time())
    me(client, token("erin", "user", iat=now - 9, groups=["/shop", "bank", "nowhere", "bad\0name", 7]))
    assert people(database)["erin"] == ("User", ["bank", "erin", "shop"])
    me(client, token("erin", "user", iat=now - 8))
    assert people(database)["erin"] == ("User", ["bank", "erin", "shop"])
    me(client, token("erin", "user", iat=now - 7, groups="shop"))
    assert people(database)["erin"] == ("User", ["erin", "shop"])
    me(client, token("erin", "user", iat=now - 6, groups=[]))
    assert people(database)["erin"] == ("User", ["erin"])


def test_the_own_group_of_somebody_else_is_not_to_be_had(
    client: TestClient, database: Database, token: TokenOf, alice: Person
) -> None:
    me(client, token("erin", "user", groups=["alice", "shop"]))
    assert people(database)["erin"] == ("User", ["erin", "shop"])


@pytest.mark.parametrize("username", [None, "", " ", 7, ["erin"], "a\0b", "a\nb", "x" * 256, "\ud800"])
def test_a_token_without_a_username_is_refused(
    client: TestClient, database: Database, token: TokenOf, username: object
) -> None:
    status, body = me(client, token("erin", "user", preferred_username=username))
    assert status == 403
    assert body == {"message": "The token has no preferred_username that can be a username."}
    assert people(database) == {}
