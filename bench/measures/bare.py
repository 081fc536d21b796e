"""The same two requests beside bare Starlette: how far a server is from the least that must be done."""

import sys
from collections.abc import Iterator

from bench.limits import BARE_READ, BARE_REPORT
from bench.load.clients import Asking
from bench.load.connection import request
from bench.measures.sites import CONNECTIONS, bench_site, prepared_for_peer
from bench.results import Ratio
from bench.rounds import Bench
from bench.servers import running

_PEER = "bare Starlette"


def measure(bench: Bench) -> Iterator[Ratio]:
    with bench_site(bench, "bare", agents=CONNECTIONS) as site:
        database = prepared_for_peer(bench, "bare", site)
        reading = [Asking(request("GET", "/ai/agents/1", token=site.admin))] * CONNECTIONS
        reporting = site.claimed_runs()
        with running(
            [sys.executable, "-m", "bench.peers.bare.app", database], bench.folder / "bare.log"
        ) as bare:
            yield Ratio(
                "read, without a token",
                _PEER,
                BARE_READ,
                bench.alternate(
                    "bare read", bench.server_side(site.server, reading), bench.server_side(bare, reading)
                ),
            )
            yield Ratio(
                "report, without a token",
                _PEER,
                BARE_REPORT,
                bench.alternate(
                    "bare report",
                    bench.server_side(site.server, reporting),
                    bench.server_side(bare, reporting),
                ),
            )
