"""People's passwords: argon2id, slow on purpose and never more than two at a time."""

import contextlib
import threading
from collections.abc import Iterator

from passlib.hash import argon2

from opendai.errors import Fault, Invalid, TooMany

LONGEST = 1024
_SHORTEST = 8

_argon2id = argon2.using(type="ID", memory_cost=19_456, time_cost=2, parallelism=1)


class Passwords:
    """Hashes and verifies; behind a small gate, so that a flood of logins leaves processors for the rest."""

    def __init__(self, *, at_once: int = 2, waiting: int = 20) -> None:
        self._gate = threading.BoundedSemaphore(at_once)
        self._queue = threading.BoundedSemaphore(at_once + waiting)
        # Verified against where there is no account, so that an unknown name takes as long as a wrong password.
        self._nobody = _argon2id.hash("nobody")

    def hash(self, password: str) -> str:
        """Raises TooMany when too many passwords are waiting already."""
        with self._turn():
            return str(_argon2id.hash(password))

    def hash_new(self, password: str) -> str:
        """The hash of a password that somebody chose; Invalid for one that is too short or too long."""
        if not _SHORTEST <= len(password) <= LONGEST or "\0" in password:
            problem = f"has {_SHORTEST} to {LONGEST} characters"
            raise Invalid(f"A password {problem}.", faults=[Fault("password", problem)])
        return self.hash(password)

    def verify(self, password: str, hashed: str | None) -> bool:
        """Whether the password is the hashed one; takes as long when there is no hash, and is False then.

        Raises TooMany when too many passwords are waiting already.
        """
        if len(password) > LONGEST or "\0" in password:
            password, hashed = "", None
        with self._turn():
            matches = bool(_argon2id.verify(password, hashed or self._nobody))
        return matches and hashed is not None

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._queue.acquire(blocking=False):
            raise TooMany("Too many logins at once. Try again in a moment.")
        try:
            with self._gate:
                yield
        finally:
            self._queue.release()
