"""Passwords of people, hashed by argon2id: slow on purpose, and two at a time at most."""

from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio.to_thread import run_sync
from passlib.hash import argon2

from opendai.errors import Fault, Invalid, TooMany

LONGEST = 1024
_SHORTEST = 8

_argon2id = argon2.using(type="ID", memory_cost=19_456, time_cost=2, parallelism=1)
_Answer = TypeVar("_Answer")


class Passwords:
    """Hashes and verifies. A server does both `in_turn`, so that a flood of logins leaves the rest of the
    server working."""

    def __init__(self, *, at_once: int = 2, waiting: int = 20, pause_seconds: float = 1.0) -> None:
        # Threads for hashing alone: a login that waits for one takes no thread from other requests.
        self._threads = anyio.CapacityLimiter(at_once)
        self._most_inside = at_once + waiting
        self._pause_seconds = pause_seconds
        self._inside = 0
        # The hash for names without an account, so that an unknown name takes as long as a wrong password.
        self._nobody = _argon2id.hash("nobody")

    async def in_turn(self, work: Callable[..., _Answer], *arguments: object) -> _Answer:
        """The result of `work`, which hashes a password: it runs in a thread when its turn comes.

        TooMany if too many wait already.
        """
        if self._inside >= self._most_inside:
            # A client that retries at once would keep the server busy with refusals; a wait here costs a timer.
            await anyio.sleep(self._pause_seconds)
            raise TooMany("Too many logins at once. Try again in a moment.")
        self._inside += 1
        try:
            return await run_sync(work, *arguments, limiter=self._threads)
        finally:
            self._inside -= 1

    def hash(self, password: str) -> str:
        return str(_argon2id.hash(password))

    def hash_new(self, password: str) -> str:
        """The hash of a new password; Invalid for one that is too short or too long."""
        if not _SHORTEST <= len(password) <= LONGEST or "\0" in password:
            problem = f"has {_SHORTEST} to {LONGEST} characters"
            raise Invalid(f"A password {problem}.", faults=[Fault("password", problem)])
        return self.hash(password)

    def verify(self, password: str, hashed: str | None) -> bool:
        """Whether the password is the hashed one. Without a hash it is False, and takes as long."""
        if len(password) > LONGEST or "\0" in password:
            password, hashed = "", None
        matches = bool(_argon2id.verify(password, hashed or self._nobody))
        return matches and hashed is not None
