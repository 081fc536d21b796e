"""How routes are found and run."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope


class Router(APIRouter):
    """Lists the routes of one subject.

    Each plain function among them takes one trip to a thread. FastAPI would take a second one, to check the answer
    against its type; ours are built as that type, which is seen at a glance.

    An application asks its routers one after the other, and each of them matches one route after the other. Ours
    look at the first part of the path before they do.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(route_class=_Route, **settings)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if self._first_parts is None or _first_part(path) in self._first_parts:
            return super().matches(scope)
        return Match.NONE, {}

    @functools.cached_property
    def _first_parts(self) -> frozenset[str] | None:
        """How the paths of these routes begin; None where one begins with a parameter."""
        parts = frozenset(_first_part(route.path) for route in self.routes if isinstance(route, APIRoute))
        return None if any("{" in part for part in parts) else parts


class _Route(APIRoute):
    def __init__(self, path: str, endpoint: Callable[..., Any], **settings: Any) -> None:
        is_plain = not inspect.iscoroutinefunction(endpoint)
        super().__init__(path, _in_a_thread(endpoint) if is_plain else endpoint, **settings)


def _first_part(path: str) -> str:
    return path[1:].partition("/")[0]


def _in_a_thread(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def run(*args: Any, **named: Any) -> Any:
        return await run_in_threadpool(function, *args, **named)

    return run
