"""The record of changes that matter for security, written in the transaction of the change."""

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.addresses import client_address
from opendai.auth.callers import Anyone, Caller
from opendai.parts import SessionDep

_LONGEST_TEXT = 300
_LONGEST_LIST = 100
_LONGEST_ADDRESS = 45


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a request, as far as it is known."""

    address: str | None = None
    request_id: str | None = None

    @classmethod
    def of(cls, request: Request) -> "Origin":
        address = client_address(request)
        return cls(
            address=address[:_LONGEST_ADDRESS] if address else None,
            request_id=request.scope.get("opendai_request_id"),
        )


@dataclass(frozen=True, slots=True)
class Actor:
    """The actor: a person or a program that sends a request, or a command on the server's machine."""

    kind: str
    name: str
    origin: Origin = Origin()

    @classmethod
    def asking(cls, caller: Caller, request: Request) -> "Actor":
        return cls(caller.kind, caller.name, Origin.of(request))

    @classmethod
    def of_command(cls) -> "Actor":
        number = os.getuid()
        try:
            # The environment can name another user than the operating system.
            return cls("command", pwd.getpwuid(number).pw_name)
        except KeyError:
            return cls("command", f"uid {number}")


class Audit:
    """The record of what one actor does in one transaction: rolled back with it, committed with it."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor

    def record(self, action: str, target: str, **details: object) -> None:
        """Write down an action ("user.create") and what it was done to ("user:7"). Details are never secrets."""
        self._session.add(
            tables.AuditEvent(
                action=action,
                actor_kind=self._actor.kind,
                actor=self._actor.name,
                address=self._actor.origin.address,
                target=target,
                details={name: _bounded(value) for name, value in details.items()},
                request_id=self._actor.origin.request_id,
            )
        )


def _bounded(value: object) -> object:
    match value:
        case str():
            return value if len(value) <= _LONGEST_TEXT else f"{value[:_LONGEST_TEXT]}…"
        case Mapping():
            return {name: _bounded(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_bounded(inner) for inner in value[:_LONGEST_LIST]]
    return value


async def _actor(caller: Anyone, request: Request) -> Actor:
    return Actor.asking(caller, request)


# For a route that opens its transaction itself.
ActorDep = Annotated[Actor, Depends(_actor)]


async def _audit(actor: ActorDep, session: SessionDep) -> Audit:
    return Audit(session, actor)


AuditDep = Annotated[Audit, Depends(_audit)]
