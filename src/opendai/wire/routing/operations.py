"""Operations: FastAPI's routes, with what the server must know of them before it runs one."""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.dependencies.models import Dependant
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import APIRoute

from opendai.auth import basic, callers
from opendai.auth.callers import Caller
from opendai.parts import session_of

Policy = Callable[[Request], Awaitable[Caller]]
_Function = TypeVar("_Function", bound=Callable[..., Any])
_POLICIES = callers.POLICIES | basic.POLICIES
_READS = frozenset({"GET", "HEAD"})


def quick(function: _Function) -> _Function:
    """Mark an operation that reads a few rows by key.

    SQLite is in this process and answers such an operation sooner than a thread is reached.
    """
    function.is_quick = True  # type: ignore[attr-defined]  # The mark is read by `Operation` alone.
    return function


class Operation(APIRoute):
    """One operation: a method, a path, and the function that answers.

    A plain function runs in one trip to a thread, from the parsing of its body to the last byte of its answer. So
    neither it nor anything it depends on may wait; only an `async def` may.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        max_body_size: int | None = None,
        **settings: Any,
    ) -> None:
        self.is_plain = not inspect.iscoroutinefunction(endpoint)
        self.is_quick = getattr(endpoint, "is_quick", False)
        super().__init__(path, _run_in_place(endpoint) if self.is_plain else endpoint, **settings)
        self.max_body_bytes = max_body_size
        """The largest body of a request, where it is not that of the family."""
        if self.is_plain:
            _refuse_threads(self.calls)
        self.application = AsyncExitStackMiddleware(self.app)

    @functools.cached_property
    def policy(self) -> Policy | None:
        """Who may ask; None if the operation is open or reads the token itself."""
        named = [call for call in self.calls if call in _POLICIES]
        return named[0] if named else None

    @functools.cached_property
    def uses_session(self) -> bool:
        return session_of in self.calls

    @functools.cached_property
    def is_reading(self) -> bool:
        return (self.methods or set()) <= _READS

    @functools.cached_property
    def calls(self) -> list[Any]:
        """Everything the function depends on, and the function, as FastAPI would call it; outermost first."""
        return list(_calls(self.dependant))


class Router(APIRouter):
    """Lists the operations of one subject."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(route_class=Operation, **settings)

    @property
    def operations(self) -> list[Operation]:
        return [route for route in self.routes if isinstance(route, Operation)]


def _calls(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)


def _refuse_threads(calls: list[Any]) -> None:
    for call in calls:
        if inspect.isroutine(call) and not inspect.iscoroutinefunction(call):
            raise TypeError(f"{call.__qualname__} must be async: FastAPI would take it to a second thread.")


def _run_in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    # FastAPI would take a plain function to a thread of its own choice.
    @functools.wraps(function)
    async def run(*args: Any, **named: Any) -> Any:
        return function(*args, **named)

    return run
