"""An AI server that thinks for as long as a test wants, and leases that end when it wants."""

import socket
import threading

from sqlalchemy import update

from opendai import tables
from opendai.database import Database
from tests.outbound.scripted import Scripted
from tests.resources.ai_servers.drafting import (
    OTHER_CASE,
    drafts,
)


class Gate:
    """An AI server that keeps everybody waiting until the test lets one after the other through."""

    def __init__(self) -> None:
        self.inside = threading.Semaphore(0)
        self._passes: list[threading.Event] = []

    def __call__(self, connection: socket.socket, server: Scripted) -> None:
        is_open = threading.Event()
        self._passes.append(is_open)
        self.inside.release()
        is_open.wait(10)
        drafts({**OTHER_CASE, "name": f"By request {self._passes.index(is_open) + 1}"})(connection, server)

    def await_request(self) -> None:
        assert self.inside.acquire(timeout=10)

    def open(self, number: int = 0) -> None:
        self._passes[number].set()

    def open_all(self) -> None:
        for is_open in self._passes:
            is_open.set()


def expire(database: Database, generation_id: int = 1) -> None:
    """As if the lease had ended, because its holder is gone."""
    with database.writing() as session:
        row = tables.Generation
        session.execute(update(row).where(row.id == generation_id).values(claimable_from=0.0))
