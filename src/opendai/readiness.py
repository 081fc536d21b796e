"""Whether the database and the object store can be used: asked seldom, and never for long."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from opendai.database import Database
from opendai.errors import Problem
from opendai.storage import ObjectStore

_KEPT_SECONDS = 1.0
_DEADLINE_SECONDS = 5.0
_SLOW = "The database or the object store does not answer in time."


class Readiness:
    """Tries both in a thread of its own, and keeps the result for a second.

    Anyone may ask, and a try writes to the store: without the second, requests would be a load.
    """

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store
        self._executor = ThreadPoolExecutor(1, "opendai-readiness")
        self._look: asyncio.Future[str | None] | None = None
        self._looked_at = 0.0

    async def find_fault(self) -> str | None:
        """The part that is out of use, in a sentence; None if both can be used."""
        look = self._look
        is_kept = time.monotonic() - self._looked_at < _KEPT_SECONDS
        if look is None or (look.done() and (not is_kept or look.exception() is not None)):
            look = asyncio.get_running_loop().run_in_executor(self._executor, self._find_fault)
            self._look, self._looked_at = look, time.monotonic()
        try:
            return await asyncio.wait_for(asyncio.shield(look), _DEADLINE_SECONDS)
        except TimeoutError:
            return _SLOW

    def _find_fault(self) -> str | None:
        try:
            self._database.check()
            self._store.is_reachable()
        except Problem as problem:
            return problem.message
        return None

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
