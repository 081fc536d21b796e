"""API clients for those who ask in a benchmark."""

from opendai.auth.audit import Actor, Audit
from opendai.database import Database
from opendai.resources.api_clients.repository import ApiClientRepository, Credentials
from opendai.resources.api_clients.schemas import ApiClientIn
from opendai.settings import Settings


def make_clients(settings: Settings, *given: ApiClientIn) -> list[Credentials]:
    """The ids and secrets of new clients."""
    database = Database(settings.database, threads=2)
    try:
        with database.writing() as session:
            clients, audit = ApiClientRepository(session), Audit(session, Actor.of_command())
            return [clients.add(wanted, audit)[1] for wanted in given]
    finally:
        database.close()
