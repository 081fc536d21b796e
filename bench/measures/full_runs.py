"""Full runs, for one client and for many, beside MLflow's run with a batch of 50 metrics."""

from collections.abc import Iterator

from bench.limits import FULL_RUN
from bench.load.clients import FullRun
from bench.measures.sites import bench_site
from bench.peers import mlflow
from bench.results import Note, Ratio
from bench.rounds import Bench
from bench.site import steps_of_model, wanted_by_any

_CLIENTS = (1, 16)


def measure(bench: Bench) -> Iterator[Ratio | Note]:
    if not mlflow.is_installed():
        yield Note(
            "Full runs were not measured: MLflow is not installed (make bench ARGS=--with-mlflow does it)."
        )
        return
    if bench.database != "sqlite":
        yield Note("Full runs were not measured: MLflow is set up with SQLite here.")
        return
    with (
        bench_site(bench, "full_runs", agents=max(_CLIENTS)) as site,
        mlflow.mlflow_server(bench.folder / "full_runs") as peer,
    ):
        wanted, walk = wanted_by_any(site.add_model()), steps_of_model()
        for agent in site.agents:
            site.register(agent)
        for count in _CLIENTS:
            ours = [FullRun(site.admin, agent, wanted, walk) for agent in site.agents[:count]]
            rounds = bench.alternate(
                f"full run, {count} at a time",
                bench.server_side(site.server, ours),
                bench.server_side(peer, [mlflow.Tracking()] * count),
            )
            clients = "1 client" if count == 1 else f"{count} clients"
            yield Ratio(f"full run of 50 steps, {clients}", "MLflow on SQLite", FULL_RUN, rounds)
