"""The tracking server of MLflow, in an environment of its own that the bench makes."""

import json
import os
import subprocess
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from venv import EnvBuilder

from bench.load.clients import STEPS
from bench.load.connection import request
from bench.load.driving import Turn
from bench.servers import Server, free_port, running_at

_API = "/api/2.0/mlflow/runs"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
_ENVIRONMENT = _CACHE / "opendai-bench" / "mlflow"
_PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def is_installed() -> bool:
    return (_ENVIRONMENT / ".ready").exists()


def install() -> None:
    """Make the environment from the group `mlflow` of pyproject.toml, unless it is there; 850 MB."""
    if is_installed():
        return
    group = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["dependency-groups"]["mlflow"]
    EnvBuilder(clear=True, with_pip=True).create(_ENVIRONMENT)
    subprocess.run([_ENVIRONMENT / "bin" / "python", "-m", "pip", "install", "-qq", *group], check=True)
    # Written last: an installation that was interrupted is done again.
    (_ENVIRONMENT / ".ready").touch()


@contextmanager
def mlflow_server(folder: Path) -> Iterator[Server]:
    """One process on SQLite, without the background jobs, which run in six more processes."""
    port = free_port()
    command = [
        *(str(_ENVIRONMENT / "bin" / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1", "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"),
        *("--default-artifact-root", str(folder / "artifacts"), "--uvicorn-opts", "--log-level=warning"),
    ]
    variables = {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # As many connections as clients: with the five of its default, sixteen clients wait until it gives up.
        "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": "32",
        "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW": "32",
    }
    with running_at(port, "/health", command, folder / "mlflow.log", variables) as server:
        yield server


@dataclass(frozen=True, slots=True)
class Tracking:
    """One run: created, a batch of metrics, ended."""

    def turn(self, number: int) -> Turn:  # noqa: ARG002 - every run is numbered by the server
        moment = int(1000 * time.time())
        created = yield _post("create", {"experiment_id": "0", "start_time": moment})
        run_id = json.loads(created)["run"]["info"]["run_id"]
        metrics = [
            {"key": "seconds", "value": 1.24, "timestamp": moment, "step": step}
            for step in range(1, STEPS + 1)
        ]
        yield _post("log-batch", {"run_id": run_id, "metrics": metrics})
        yield _post("update", {"run_id": run_id, "status": "FINISHED", "end_time": moment})


def _post(path: str, body: object) -> bytes:
    return request("POST", f"{_API}/{path}", body=json.dumps(body).encode())
