"""The demonstration: a server, two models, two executions, and their results."""

import csv
import io
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from opendai_client.client import Client

_MODELS = {"PetClinic": "petclinic.modeljson.json", "WebStore": "webstore.modeljson.json"}
_START_SECONDS = 30
_WALK_SECONDS = 120
_console = Console()


def demonstrate(*, leave: bool) -> None:
    """Serve, walk, show what came out, and serve on until an interrupt, or leave by a typer.Exit."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="opendai-demo-")))
        password = secrets.token_urlsafe(12)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENDAI_")}
        environment |= {"OPENDAI_DATA_DIR": str(folder), "OPENDAI_ADMIN_PASSWORD": password}
        url = stack.enter_context(_server(environment, folder / "server.log"))
        client = stack.enter_context(_client(url, environment))
        runs = _walk_both(client)
        _report(client, runs)
        _console.print(
            f"\nThe server is at [bold]{url}[/bold]; log in as admin with the password {password}."
        )
        if leave:
            raise typer.Exit(0 if all(run["teststatus"] == "PASSED" for run in runs) else 1)
        _console.print("It keeps serving until Ctrl-C.")
        _wait_for_interrupt()


@contextmanager
def _server(environment: dict[str, str], log: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "opendai.cli", "serve", "--port", "0", "--embedded-agent"]
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)  # noqa: S603
    try:
        yield _listening_address(process, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listening_address(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None  # noqa: S101 - it was opened as a pipe
    # A server that neither answers nor ends is killed, so that reading its output comes to an end.
    alarm = threading.Timer(_START_SECONDS, process.kill)
    alarm.start()
    line = process.stdout.readline()
    alarm.cancel()
    if " listens on " not in line:
        raise ValueError(f"The server did not start:\n{log.read_text(encoding='utf-8')}")
    return line.rsplit(" ", 1)[1].strip()


def _client(url: str, environment: dict[str, str]) -> Client:
    command = [sys.executable, "-m", "opendai.cli", "clients", "create", "demo", "--role", "admin"]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout  # noqa: S603
    row = next(csv.DictReader(io.StringIO(printed)))
    return Client(url, row["client_id"], row["client_secret"], row["token_url"])


def _walk_both(client: Client) -> list[dict[str, Any]]:
    models = {}
    for name, file in _MODELS.items():
        text = files("opendai.demo").joinpath(file).read_text(encoding="utf-8")
        models[name] = client.create_model(name, "admin", text)
    case = client.test_cases(models["PetClinic"]["modeluuid"])[0]
    agent = {"agent_id": "any", "is_hosted_agent": False}
    started = {
        "WebStore, exploratory": client.start_execution(
            model_id=models["WebStore"]["modeluuid"], agent=agent
        ),
        f"PetClinic, {case['testcaseName']}": client.start_execution(
            model_id=models["PetClinic"]["modeluuid"], test_case_id=case["id"], agent=agent
        ),
    }
    _show_progress(client, {title: str(execution["id"]) for title, execution in started.items()})
    return [client.run(execution["run_id"]) for execution in started.values()]


def _show_progress(client: Client, executions: dict[str, str]) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
    )
    deadline = time.monotonic() + _WALK_SECONDS
    with Progress(*columns, console=_console) as progress:
        waiting = {
            progress.add_task(title, total=None, state="waits"): identity
            for title, identity in executions.items()
        }
        while waiting and time.monotonic() < deadline:
            for task, identity in list(waiting.items()):
                execution = client.execution(identity)
                is_over = execution["status"] != "INCOMPLETE"
                state = f"{execution['status'] if is_over else 'walks'}, {execution['steps']} steps"
                progress.update(task, state=state, total=1 if is_over else None, completed=int(is_over))
                if is_over:
                    del waiting[task]
            time.sleep(0.1)


def _report(client: Client, runs: list[dict[str, Any]]) -> None:
    table = Table(title="What came out")
    for heading in ("run", "model", "kind", "status", "steps", "coverage", "screenshots", "log lines"):
        table.add_column(heading)
    for run in runs:
        timings = client.timings(run["id"])
        table.add_row(
            str(run["id"]),
            run["modelname"],
            run["testcase"] or run["runtype"],
            run["teststatus"],
            str(len(timings)),
            f"{run['coverage']:.0%}",
            str(len(client.screenshots(run["id"]))),
            str(len(client.run_logs(run["id"]))),
        )
    _console.print(table)
    _console.print(_slowest(client, runs))


def _slowest(client: Client, runs: list[dict[str, Any]]) -> Table:
    spent: defaultdict[tuple[str, str, str], list[float]] = defaultdict(list)
    for run in runs:
        for timing in client.timings(run["id"]):
            spent[run["modelname"], timing["state"], timing["action"]].append(timing["timing"])
    table = Table(title="The slowest actions (seconds, as simulated)")
    for heading in ("model", "state", "action", "times", "mean"):
        table.add_column(heading)
    by_mean = sorted(spent.items(), key=lambda item: sum(item[1]) / len(item[1]), reverse=True)
    for (model, state, action), seconds in by_mean[:5]:
        table.add_row(model, state, action, str(len(seconds)), f"{sum(seconds) / len(seconds):.2f}")
    return table


def _wait_for_interrupt() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        _console.print("Stopping.")
