"""Other long-lived parts in the place of the server's own, until a test ends."""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount, Route


@contextlib.contextmanager
def replaced(app: FastAPI, **parts: Any) -> Iterator[None]:
    """Put these parts in the place of the server's own; the worker keeps those it was given."""
    usual = app.state.parts
    _give(app, dataclasses.replace(usual, **parts))
    try:
        yield
    finally:
        _give(app, usual)


def with_settings(app: FastAPI, **settings: Any) -> contextlib.AbstractContextManager[None]:
    """Let the server go by other settings."""
    return replaced(app, settings=app.state.parts.settings.model_copy(update=settings))


def _give(app: FastAPI, parts: Any) -> None:
    inner = [route.app for route in app.routes if isinstance(route, Mount | Route)]
    for application in (app, *inner):
        if isinstance(application, Starlette):
            application.state.parts = parts
