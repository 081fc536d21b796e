"""An authenticated read, beside the plain application."""

from collections.abc import Iterator

from bench.limits import READ
from bench.load.clients import Asking
from bench.load.connection import request
from bench.measures.sites import CONNECTIONS, beside_plain
from bench.results import Note, Ratio
from bench.rounds import Bench
from bench.site import ask

_PING = "/ai/ping"


def measure(bench: Bench) -> Iterator[Ratio | Note]:
    with beside_plain(bench, "reading", agents=1) as (site, plain, token):
        path = f"/ai/agents/{site.register(site.agents[0])}"
        ours = request("GET", path, token=site.admin)
        peers = request("GET", path, token=token)
        if ask(site.server, ours) != ask(plain, peers):
            raise RuntimeError("opendai and the plain application do not answer the same agent.")
        ping = bench.server_side(site.server, [Asking(request("GET", _PING))] * CONNECTIONS)
        pinged = ping.run(bench.seconds)
        yield Note(
            f"The load reads {_PING} {pinged.value:,.0f} times a second and takes {pinged.load_busy:.0%} of a "
            "processor for it."
        )
        rounds = bench.alternate(
            "read",
            bench.server_side(site.server, [Asking(ours)] * CONNECTIONS),
            bench.server_side(plain, [Asking(peers)] * CONNECTIONS),
        )
    yield Ratio("authenticated read", "plain FastAPI + SQLAlchemy", READ, rounds)
