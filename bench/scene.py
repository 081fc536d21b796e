"""What the servers are asked about: an agent to read, and one running walk for each connection."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
from tests.services import PostgresServer

from bench.clients import make_clients
from bench.servers import Address, serving
from bench.traffic import Reading, Reporting, Traffic
from opendai.installation import install
from opendai.resources.api_clients.repository import Credentials
from opendai.resources.api_clients.schemas import ApiClientIn
from opendai.settings import Settings

AGENT_SERVICE = "/agent_service/api/v1"
CONNECTIONS = 8
# A day: what is measured must not end in the middle of it.
LEASE_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Walk:
    """A run that an agent has claimed, and what that agent logs in with."""

    run_id: int
    attempt: int
    credentials: Credentials


@dataclass(frozen=True, slots=True)
class Scene:
    """What is in the database of the server and, row for row, in that of its peer."""

    settings: Settings
    peer_database: str
    reader: Credentials
    agent_id: int
    walks: list[Walk]

    def reading(self, address: Address) -> list[Traffic]:
        """Each connection reads the one agent."""
        token = _token(self.settings, address, self.reader)
        return [Reading(f"/ai/agents/{self.agent_id}", token) for _ in self.walks]

    def reporting(self, address: Address) -> list[Traffic]:
        """Each connection reports its own walk."""
        return [
            Reporting(
                f"{AGENT_SERVICE}/runs/{walk.run_id}/events",
                _token(self.settings, address, walk.credentials),
                walk.attempt,
            )
            for walk in self.walks
        ]


@contextmanager
def on_sqlite(folder: Path) -> Iterator[Scene]:
    """Two files, of which the second is a copy of the first."""
    ours, theirs = folder / "opendai.db", folder / "peer.db"

    def copy() -> None:
        source, target = sqlite3.connect(ours), sqlite3.connect(theirs)
        source.backup(target)
        source.close()
        target.close()

    yield _prepare(folder, f"sqlite:///{ours}", f"sqlite:///{theirs}", copy)


@contextmanager
def on_postgresql(folder: Path) -> Iterator[Scene]:
    """Two databases of a PostgreSQL without durability, of which the second is a copy of the first."""
    with PostgresServer() as server:

        def copy() -> None:
            server.create_database("peer", template="opendai")

        yield _prepare(folder, server.create_database("opendai"), server.url("peer"), copy)


def _prepare(folder: Path, database_url: str, peer_database: str, copy: Callable[[], None]) -> Scene:
    """Let a server start as many walks as there are connections, stop it, and copy its database."""
    settings = Settings(
        data_dir=folder / "data",
        database_url=database_url,
        access_token_seconds=LEASE_SECONDS,
        lease_seconds=LEASE_SECONDS,
        log_format="json",
    )
    install(settings)
    reader, *walkers = _api_clients(settings)
    with serving(settings, folder) as server:
        address = server.address
        agent_ids = [_register(settings, address, credentials) for credentials in walkers]
        _queue_runs(settings, address, reader, len(walkers))
        walks = [_claim(settings, address, credentials) for credentials in walkers]
    copy()
    return Scene(settings, peer_database, reader, agent_ids[0], walks)


def _api_clients(settings: Settings) -> list[Credentials]:
    """The one who reads, and an agent for each connection."""
    agents = [ApiClientIn(name=f"agent {number}", role="agent") for number in range(CONNECTIONS)]
    return make_clients(settings, ApiClientIn(name="reader", role="admin"), *agents)


def _register(settings: Settings, address: Address, credentials: Credentials) -> int:
    with _client(settings, address, credentials) as client:
        return int(_post(client, f"{AGENT_SERVICE}/agents", {})["agent_id"])


def _queue_runs(settings: Settings, address: Address, credentials: Credentials, count: int) -> None:
    document = files("opendai.demo").joinpath("petclinic.modeljson.json").read_text(encoding="utf-8")
    with _client(settings, address, credentials) as client:
        model = _post(client, "/ai/models", {"name": "PetClinic", "group": "admin", "modeljson": document})
        wanted = {"model_id": model["modeluuid"], "agent": {"agent_id": "any", "is_hosted_agent": False}}
        for _ in range(count):
            _post(client, "/execution_service/api/v1/executions", wanted)


def _claim(settings: Settings, address: Address, credentials: Credentials) -> Walk:
    with _client(settings, address, credentials) as client:
        claim = _post(client, f"{AGENT_SERVICE}/claims", {"wait_seconds": 5})
        return Walk(claim["run_id"], claim["attempt"], credentials)


def _client(settings: Settings, address: Address, credentials: Credentials) -> httpx.Client:
    headers = {"Authorization": f"Bearer {_token(settings, address, credentials)}"}
    return httpx.Client(base_url=_url(address), headers=headers, trust_env=False)


def _token(settings: Settings, address: Address, credentials: Credentials) -> str:
    grant = {
        "grant_type": "client_credentials",
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
    }
    path = f"/auth/realms/{settings.realm}/protocol/openid-connect/token"
    response = httpx.post(_url(address) + path, data=grant, trust_env=False).raise_for_status()
    return str(response.json()["access_token"])


def _post(client: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    return client.post(path, json=body).raise_for_status().json()


def _url(address: Address) -> str:
    return f"http://{address[0]}:{address[1]}"
