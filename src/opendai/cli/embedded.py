"""The simulated agent inside `opendai serve --embedded-agent`: it speaks HTTP like any other."""

import threading

import structlog

from opendai.auth.audit import Actor, Audit
from opendai.database import Database
from opendai.resources.api_clients.repository import ApiClientRepository, Credentials
from opendai.settings import Settings

_NAME = "embedded"
_log = structlog.get_logger("opendai.embedded_agent")


class EmbeddedAgent:
    """One agent in a thread, with an API client of its own that gets a new secret at every start."""

    def __init__(self, settings: Settings, url: str) -> None:
        self._settings = settings
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="opendai-embedded-agent", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        # Imported here, because a server without this agent starts sooner without these modules.
        from opendai_client.agent.drivers.simulate import SimulateDriver  # noqa: PLC0415
        from opendai_client.agent.loop import Agent  # noqa: PLC0415
        from opendai_client.client import Client  # noqa: PLC0415
        from opendai_client.errors import ClientError, ServerUnreachable  # noqa: PLC0415

        credentials = _fresh_credentials(self._settings)
        token_url = f"{self._url}/auth/realms/{self._settings.realm}/protocol/openid-connect/token"
        with Client(self._url, credentials.client_id, credentials.client_secret, token_url) as client:
            try:
                Agent(client, SimulateDriver()).run_forever(self._stop)
            except (ClientError, ServerUnreachable) as error:
                _log.error("the embedded agent ended", reason=str(error))


def _fresh_credentials(settings: Settings) -> Credentials:
    database = Database(settings.database, threads=2)
    try:
        with database.writing() as session:
            audit = Audit(session, Actor.of_command())
            return ApiClientRepository(session).issue(_NAME, role="agent", audit=audit)
    finally:
        database.close()
