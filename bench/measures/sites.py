"""An opendai server and a peer beside it, for a measure."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.load.connection import request
from bench.peers.database import prepare
from bench.peers.plain.serving import plain_application
from bench.rounds import Bench
from bench.servers import Server
from bench.site import Site, ask, opened_site

CONNECTIONS = 8


@contextmanager
def bench_site(bench: Bench, name: str, *, agents: int = 0, **chosen: Any) -> Iterator[Site]:
    """A server on a new database of the kind that is measured."""
    database = bench.new_database(f"{name}_opendai")
    with opened_site(bench.new_folder(name), agents=agents, database_url=database, **chosen) as site:
        yield site


@contextmanager
def beside_plain(bench: Bench, name: str, *, agents: int) -> Iterator[tuple[Site, Server, str]]:
    """A server, the plain application with the same agent, and the token for the latter."""
    with bench_site(bench, name, agents=agents) as site:
        database = prepared_for_peer(bench, name, site)
        with plain_application(database, bench.folder / name) as (plain, token):
            yield site, plain, token


def prepared_for_peer(bench: Bench, name: str, site: Site) -> str:
    """The URL of a database that holds the first agent of the site, which is registered here."""
    path = f"/ai/agents/{site.register(site.agents[0])}"
    database = bench.new_database(f"{name}_peer")
    prepare(database, ask(site.server, request("GET", path, token=site.admin)))
    return database
