"""One server for the programs of others, and the sites from which these send people to it."""

import secrets
from collections.abc import Iterator

import pytest

from tests.clients_of_others.provider import Provider
from tests.clients_of_others.sites import Site, serving_pages
from tests.faults.processes import Server


@pytest.fixture(scope="session")
def shop_site() -> Iterator[Site]:
    """Where the pages of the shop are."""
    with serving_pages() as site:
        yield site


@pytest.fixture(scope="session")
def provider(
    shop_site: Site, password_hash: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Provider]:
    folder = tmp_path_factory.mktemp("provider") / "data"
    with Server(folder, cors_origins=shop_site.origin, sqlite_synchronous="NORMAL") as server:
        provider = Provider(server)
        provider.add_person("alice", password_hash)
        yield provider


@pytest.fixture
def provider_on_postgresql(
    request: pytest.FixtureRequest, password_hash: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Provider]:
    url = request.getfixturevalue("postgres_server").create_database(f"identity_{secrets.token_hex(4)}")
    with Server(tmp_path_factory.mktemp("provider") / "data", database_url=url) as server:
        provider = Provider(server)
        provider.add_person("alice", password_hash)
        yield provider
