"""The two routes with as little as possible in between.

No token is checked, no field is validated, no lease is renewed and no run is locked. A server must do all that is
done here, so the ratio tells the price of everything else.
"""

import json
import sys
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bench.peers.bare.rows import Rows, open_rows
from bench.peers.listening import serve


def create_app(rows: Rows) -> Starlette:
    """The routes, at the addresses that opendai has them at."""

    async def get_agent(request: Request) -> JSONResponse:
        return JSONResponse(await rows.agent(int(request.path_params["id"])))

    async def report_events(request: Request) -> JSONResponse:
        given = json.loads(await request.body())
        run_id = int(request.path_params["run_id"])
        await rows.add_steps([_step(run_id, given["attempt"], step) for step in given["events"]])
        return JSONResponse({"last": given["first"] + len(given["events"]) - 1})

    return Starlette(
        routes=[
            Route("/ai/agents/{id}", get_agent),
            Route("/agent_service/api/v1/runs/{run_id}/events", report_events, methods=["POST"]),
        ]
    )


def _step(run_id: int, attempt: int, step: dict[str, Any]) -> tuple[Any, ...]:
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


if __name__ == "__main__":
    serve(create_app(open_rows(sys.argv[1])))
