"""How routes are run."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute


class Router(APIRouter):
    """Lists the routes of one subject. Each plain function among them takes one trip to a thread.

    FastAPI would take a second one, to check the answer against its type; ours are built as that type, which is seen
    at a glance.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(route_class=_Route, **settings)


class _Route(APIRoute):
    def __init__(self, path: str, endpoint: Callable[..., Any], **settings: Any) -> None:
        is_plain = not inspect.iscoroutinefunction(endpoint)
        super().__init__(path, _in_a_thread(endpoint) if is_plain else endpoint, **settings)


def _in_a_thread(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def run(*args: Any, **named: Any) -> Any:
        return await run_in_threadpool(function, *args, **named)

    return run
