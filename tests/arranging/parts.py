"""Other long-lived parts in the place of the server's own, until a test ends."""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

from sqlalchemy import QueuePool

from opendai.api.server import Server
from opendai.database import Database


@contextlib.contextmanager
def replaced(app: Server, **parts: Any) -> Iterator[None]:
    """Put these parts in the place of the server's own; the worker keeps those it was given."""
    usual = app.state.parts
    app.state.parts = dataclasses.replace(usual, **parts)
    try:
        yield
    finally:
        app.state.parts = usual


def with_settings(app: Server, **settings: Any) -> contextlib.AbstractContextManager[None]:
    """Let the server go by other settings."""
    return replaced(app, settings=app.state.parts.settings.model_copy(update=settings))


def connections_in_use(database: Database) -> int:
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()
