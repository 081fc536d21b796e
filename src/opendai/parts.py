"""The long-lived objects of a server, built once by `create_app`, and the dependencies that hand them to routes."""

import threading
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from opendai.credentials.keys import KeyRing
from opendai.credentials.memory import Remembered
from opendai.credentials.outside import Outside
from opendai.credentials.passwords import Passwords
from opendai.credentials.refresh_tokens import RefreshTokens
from opendai.credentials.secrets import SecretKey
from opendai.credentials.tokens import Tokens
from opendai.database import Database
from opendai.outbound.http import Outbound
from opendai.outbound.turns import Turns
from opendai.readiness import Readiness
from opendai.settings import Settings
from opendai.storage import ObjectStore
from opendai.storage.threads import StoreThreads
from opendai.waiting import WaitingLine

SESSION = "opendai.session"
"""Where the scope of a request has its session."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a server. `app.state.parts` holds it, and nothing else is kept there."""

    settings: Settings
    database: Database
    store: ObjectStore
    store_threads: StoreThreads
    """Every call of the store that a request waits for runs here."""
    readiness: Readiness
    secret_key: SecretKey
    keys: KeyRing
    tokens: Tokens
    refresh_tokens: RefreshTokens
    passwords: Passwords
    callers: Remembered[Any]
    """Callers by their tokens, for a second at most."""
    outside: Outside | None
    """Reads the tokens of the outside provider; None if the settings name no provider."""
    ai_servers: Outbound
    """The way out to AI servers, which may be on private addresses that the settings allow."""
    ai_server_turns: Turns
    waiting_agents: WaitingLine
    """The agents that wait for a run, each under its id."""
    closing: threading.Event
    """Set when the process is told to end."""

    def close(self) -> None:
        """End what holds connections or threads."""
        self.readiness.close()
        self.store_threads.close()
        self.store.close()
        self.database.close()


def parts_of(request: Request) -> Parts:
    """The parts of the server that a request came to."""
    parts: Parts = request.app.state.parts
    return parts


async def session_of(request: Request) -> Session:
    """The session that was opened for a plain operation: GET and HEAD read, everything else writes."""
    session: Session = request.scope[SESSION]
    return session


async def _all(request: Request) -> Parts:
    return parts_of(request)


def _one(name: str) -> Any:
    """The dependency that gives a route one of the parts."""

    async def give(request: Request) -> Any:
        return getattr(parts_of(request), name)

    return Depends(give)


PartsDep = Annotated[Parts, Depends(_all)]
SettingsDep = Annotated[Settings, _one("settings")]
SecretKeyDep = Annotated[SecretKey, _one("secret_key")]
KeysDep = Annotated[KeyRing, _one("keys")]
TokensDep = Annotated[Tokens, _one("tokens")]
RefreshTokensDep = Annotated[RefreshTokens, _one("refresh_tokens")]
PasswordsDep = Annotated[Passwords, _one("passwords")]

# For a route that must not hold its transaction while it waits for something else.
DatabaseDep = Annotated[Database, _one("database")]

# For plain operations alone. Their transaction ends before the answer leaves: a failed commit is not answered 200.
SessionDep = Annotated[Session, Depends(session_of)]


def repository(kind: type[Any]) -> Any:
    """The dependency that gives a route a repository of this kind around the request's session."""

    async def provide(session: SessionDep) -> Any:
        return kind(session)

    return Depends(provide)
