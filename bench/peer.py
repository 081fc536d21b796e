"""The peer: a bare Starlette application which answers the same as opendai with as little as possible in between.

It asks nobody who they are, checks no field, keeps no lease and holds no run. What it does the server must do
too, so the ratio says what all the rest costs.
"""

import json
import socket
import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bench.rows import Rows, open_rows


def create_app(rows: Rows, lease_seconds: int) -> Starlette:
    """The two routes, at the addresses that opendai has them at."""

    async def get_agent(request: Request) -> JSONResponse:
        return JSONResponse(await rows.agent(int(request.path_params["id"])))

    async def report_events(request: Request) -> JSONResponse:
        given = json.loads(await request.body())
        run_id = int(request.path_params["run_id"])
        await rows.add_timings([_timing(run_id, given["attempt"], step) for step in given["events"]])
        last = given["first"] + len(given["events"]) - 1
        return JSONResponse({"last": last, "abort": False, "lease_seconds": lease_seconds})

    return Starlette(
        routes=[
            Route("/ai/agents/{id}", get_agent),
            Route("/agent_service/api/v1/runs/{run_id}/events", report_events, methods=["POST"]),
        ]
    )


def _timing(run_id: int, attempt: int, step: dict[str, Any]) -> tuple[Any, ...]:
    return (
        run_id,
        attempt,
        step["order"],
        step["state"],
        step["action"],
        step["target"],
        step["phase"],
        step["passed"],
        step["seconds"],
        "",
        step["started_at"],
    )


def serve(database_url: str, lease_seconds: int) -> None:
    """Serve with the options of `opendai serve`, and say where."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    app = create_app(open_rows(database_url), lease_seconds)
    print(f"The peer listens on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, proxy_headers=False, http="httptools"
    )
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
