"""The one place that knows every part: it builds the long-lived objects and puts the API families side by side."""

import contextlib
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from types import FrameType

import anyio.to_thread

from opendai import logs
from opendai.api import agent, ai, api_clients, execution, hal, legacy, oauth, plain, v2
from opendai.api.server import Server
from opendai.credentials.keys import KeyRing
from opendai.credentials.memory import Remembered
from opendai.credentials.passwords import Passwords
from opendai.credentials.refresh_tokens import RefreshTokens
from opendai.credentials.secrets import load_secret_key
from opendai.credentials.tokens import Tokens
from opendai.database import Database
from opendai.installation import remember_public_url
from opendai.memory import give_back, use_few_arenas
from opendai.outbound.addresses import Allowed
from opendai.outbound.http import Outbound
from opendai.outbound.turns import Turns
from opendai.parts import Parts
from opendai.readiness import Readiness
from opendai.resources.accounts.outside_users import outside_provider
from opendai.resources.executions.queue import count_runs_for_agents
from opendai.settings import Settings
from opendai.storage import open_store
from opendai.storage.threads import StoreThreads
from opendai.waiting import WaitingLine
from opendai.worker.loops import Worker

_TURN_SECONDS = 0.0005
_TOO_MANY_CALLS = "Too many AI servers are asked at once. Try again in a moment."


def create_app(settings: Settings) -> Server:
    """The server as an ASGI application. Its database must have been installed before."""
    use_few_arenas()
    secret_key = load_secret_key(settings.key_file)
    ai_servers_allowed = Allowed.parse(settings.ai_server_allowed_hosts)
    database = Database(
        settings.database,
        threads=settings.threads,
        timeout_seconds=settings.database_timeout_seconds,
        synchronous=settings.sqlite_synchronous,
    )
    try:
        keys = KeyRing(database, secret_key)
        outside = outside_provider(settings, database)
    except BaseException:
        database.close()
        raise
    store = open_store(
        settings.storage,
        public_url=settings.public_url,
        signing_key=secret_key.derive("file urls"),
        max_connections=settings.threads,
    )
    closing = threading.Event()
    parts = Parts(
        settings=settings,
        database=database,
        store=store,
        store_threads=StoreThreads(threads=settings.threads, deadline_seconds=settings.store_timeout_seconds),
        readiness=Readiness(database, store),
        secret_key=secret_key,
        keys=keys,
        tokens=Tokens(keys, issuer=f"{settings.public_url}/auth/realms/{settings.realm}"),
        refresh_tokens=RefreshTokens(secret_key.derive("refresh tokens")),
        passwords=Passwords(),
        callers=Remembered(lambda: database.rights),
        outside=outside,
        ai_servers=Outbound(allowed=ai_servers_allowed),
        ai_server_turns=Turns(at_once=settings.ai_server_calls, refusal=_TOO_MANY_CALLS, retry_after=5),
        waiting_agents=WaitingLine(partial(database.read, count_runs_for_agents), is_closing=closing.is_set),
        closing=closing,
    )
    worker = Worker(parts)

    @contextlib.asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.threads
        await anyio.to_thread.run_sync(store.prepare)
        await anyio.to_thread.run_sync(remember_public_url, database, settings.public_url)
        worker.start()
        give_back()
        # The event loop shares the interpreter with the threads, and waits for each of them before its next turn.
        sys.setswitchinterval(_TURN_SECONDS)
        with _set_by_signals(parts.closing):
            yield
        await anyio.to_thread.run_sync(worker.stop)
        parts.close()

    families = [family.create(settings) for family in (ai, execution, agent, oauth, hal, api_clients, v2)]
    return Server(
        parts, families, plain=plain.create(settings), oldest=legacy.create(settings), lifespan=lifespan
    )


def create_from_environment() -> Server:
    """For worker processes, which are told everything through the environment."""
    settings = Settings()
    logs.configure(settings)
    return create_app(settings)


@contextlib.contextmanager
def _set_by_signals(closing: threading.Event) -> Iterator[None]:
    """Set the event when the process is told to end, beside what the web server does then.

    The web server waits for the requests in progress before it tells the application anything, and an agent's
    request for work may wait for half a minute.
    """
    if threading.current_thread() is not threading.main_thread():
        # Signals are the main thread's; an application in another one is ended by its owner.
        yield
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    previous = {number: handler for number, handler in handlers.items() if callable(handler)}

    def end(number: int, frame: FrameType | None) -> None:
        closing.set()
        previous[signal.Signals(number)](number, frame)

    for number in previous:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
