"""Values of a moment ago, so that the next request need not look them up again."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

_Value = TypeVar("_Value")
_SECONDS = 1.0
_MOST = 10_000


class Remembered(Generic[_Value]):
    """Values by a text, each for a second at most, and only while the state they were found in lasts.

    `state_now` returns that state. This process changes it when it commits something that such a value depends
    on. A commit of another process takes effect when the second is over. Only the event loop uses an object of
    this class.
    """

    def __init__(self, state_now: Callable[[], int]) -> None:
        self._state_now = state_now
        self._kept: OrderedDict[str, tuple[float, int, _Value]] = OrderedDict()

    @property
    def state(self) -> int:
        """The state now. Read it before the value is looked up, and give it to `keep` with the value."""
        return self._state_now()

    def find(self, text: str) -> _Value | None:
        ends, state, value = self._kept.get(text, (0.0, -1, None))
        return value if time.monotonic() < ends and state == self.state else None

    def keep(self, text: str, value: _Value, *, state: int) -> None:
        self._kept.pop(text, None)
        self._kept[text] = (time.monotonic() + _SECONDS, state, value)
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)
