"""A report of 50 steps, beside the plain application's insert of 50 rows."""

from collections.abc import Iterator
from dataclasses import replace

from bench.limits import REPORT
from bench.measures.sites import CONNECTIONS, beside_plain
from bench.results import Ratio
from bench.rounds import Bench


def measure(bench: Bench) -> Iterator[Ratio]:
    with beside_plain(bench, "reporting", agents=CONNECTIONS) as (site, plain, token):
        ours = site.claimed_runs()
        peers = [replace(client, token=token) for client in ours]
        rounds = bench.alternate(
            "report", bench.server_side(site.server, ours), bench.server_side(plain, peers)
        )
    yield Ratio("report of 50 steps", "plain FastAPI + SQLAlchemy", REPORT, rounds)
