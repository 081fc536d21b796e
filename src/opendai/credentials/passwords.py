"""People's passwords: argon2id, slow on purpose and never more than two at a time."""

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
    """Hashes and verifies; a server does both `in_turn`, so that a flood of logins leaves it able to do the rest."""

    def __init__(self, *, at_once: int = 2, waiting: int = 20, pause_seconds: float = 1.0) -> None:
        # Threads of their own: whoever waits for one holds none of those that answer other requests.
        self._threads = anyio.CapacityLimiter(at_once)
        self._most_inside = at_once + waiting
        self._pause_seconds = pause_seconds
        self._inside = 0
        # Verified against where there is no account, so that an unknown name takes as long as a wrong password.
        self._nobody = _argon2id.hash("nobody")

    async def in_turn(self, work: Callable[..., _Answer], *arguments: object) -> _Answer:
        """What `work` answers, which needs a password hashed: it is called in a thread once its turn has come.

        Raises TooMany when too many wait already.
        """
        if self._inside >= self._most_inside:
            # Whoever asks again at once would keep the server busy with refusals; to wait here costs a timer.
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
        """The hash of a password that somebody chose; Invalid for one that is too short or too long."""
        if not _SHORTEST <= len(password) <= LONGEST or "\0" in password:
            problem = f"has {_SHORTEST} to {LONGEST} characters"
            raise Invalid(f"A password {problem}.", faults=[Fault("password", problem)])
        return self.hash(password)

    def verify(self, password: str, hashed: str | None) -> bool:
        """Whether the password is the hashed one; takes as long when there is no hash, and is False then."""
        if len(password) > LONGEST or "\0" in password:
            password, hashed = "", None
        matches = bool(_argon2id.verify(password, hashed or self._nobody))
        return matches and hashed is not None
