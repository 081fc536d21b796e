"""The life of an agent: register, claim, walk, again, until it is told to stop."""

import importlib.metadata
import logging
import queue
import threading
import uuid

from opendai_client.agent.drivers.port import Driver
from opendai_client.agent.persistence import RunLost, Stopped, insist
from opendai_client.agent.protocol import AgentService, Claim, Registration
from opendai_client.agent.walking import walk_run
from opendai_client.client import Client
from opendai_client.errors import ClientError, ServerUnreachable

logger = logging.getLogger(__name__)

_WAIT_SECONDS = 20
_GLANCE_SECONDS = 0.25
_RETRY_SECONDS = 1.0


class Agent:
    """Walks one run at a time with one driver, under the name of one API client.

    ``max_runs`` is the number of finished runs after which it leaves by itself, 0 for never. Neither
    ``client`` nor ``driver`` may serve another agent at the same time.
    """

    def __init__(
        self, client: Client, driver: Driver, *, max_runs: int = 0, wait_seconds: int = _WAIT_SECONDS
    ) -> None:
        self._service = AgentService(client.connection)
        self._driver = driver
        self._max_runs = max_runs
        self._wait_seconds = wait_seconds

    def run_forever(self, stop: threading.Event) -> None:
        """Return soon after ``stop`` is set; the current run is left to its lease, for another agent.

        Wait for a server that is away. ClientError: the server refuses this agent.
        """
        try:
            self._register(stop)
            finished = 0
            while self._max_runs == 0 or finished < self._max_runs:
                finished += self._take_one(stop)
        except Stopped:
            logger.info("Told to stop.")
        self._say_goodbye()

    def _register(self, stop: threading.Event) -> None:
        while True:
            try:
                registration = insist(self._ask_to_register, wait=stop.wait)
            except (ClientError, RunLost) as refused:
                if isinstance(refused, ClientError) and not _may_change(refused):
                    raise
                logger.warning("Cannot register: %s", refused)
                if stop.wait(_RETRY_SECONDS):
                    raise Stopped from refused
            else:
                logger.info("Registered as %s (agent %d).", registration.name, registration.agent_id)
                return

    def _ask_to_register(self) -> Registration:
        return self._service.register(
            version=importlib.metadata.version("opendai"), drivers=[self._driver.name]
        )

    def _take_one(self, stop: threading.Event) -> bool:
        """Claims and walks; whether a run was finished."""
        claim = self._claim(stop)
        if claim is None:
            return False
        logger.info("Claimed %s: %s of %s.", claim, claim.plan.kind, claim.model.name)
        try:
            status = walk_run(self._service, self._driver, claim, stop)
        except RunLost as lost:
            logger.warning("Dropped %s: %s", claim, lost)
            return False
        except Stopped:
            logger.info("Left %s to its lease.", claim)
            raise
        except ClientError as refused:
            if refused.status in {401, 403}:
                raise
            logger.error("Dropped %s: %s", claim, refused)  # noqa: TRY400 - a refusal needs no traceback
            return False
        logger.info("Finished %s: %s.", claim, status)
        return True

    def _claim(self, stop: threading.Event) -> Claim | None:
        # One key for all attempts: after a lost answer, the next attempt gets the same claim.
        claim_key = str(uuid.uuid4())
        try:
            return insist(lambda: self._poll(claim_key, stop), wait=stop.wait)
        except (ClientError, RunLost) as refused:
            if isinstance(refused, ClientError) and not _may_change(refused):
                raise
            logger.warning("No claim: %s Registering again.", refused)
        if stop.wait(_RETRY_SECONDS):
            raise Stopped
        self._register(stop)
        return None

    def _poll(self, claim_key: str, stop: threading.Event) -> Claim | None:
        """Asks in a thread of its own, because a request that waits for its answer cannot be told to stop."""
        answers: queue.SimpleQueue[Claim | Exception | None] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._service.claim(claim_key, wait_seconds=self._wait_seconds))
            except Exception as error:  # noqa: BLE001 - it is raised again in the thread that waits
                answers.put(error)

        threading.Thread(target=ask, name="claim", daemon=True).start()
        while not stop.is_set():
            try:
                found = answers.get(timeout=_GLANCE_SECONDS)
            except queue.Empty:
                continue
            if isinstance(found, Exception):
                raise found
            return found
        raise Stopped

    def _say_goodbye(self) -> None:
        try:
            self._service.disconnect()
        except (ClientError, ServerUnreachable) as error:
            logger.info("Left without a goodbye: %s", error)
        else:
            logger.info("Disconnected.")


def _may_change(refused: ClientError) -> bool:
    """Whether to wait and try again: the server is being repaired, or the agent is not registered yet."""
    return refused.status == 404 or refused.status >= 500
