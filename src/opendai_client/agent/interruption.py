"""A signal that ends every wait in the middle of a run."""

import threading
import time

# An event cannot be chained to another, so a wait looks at the second one this often.
_GLANCE_SECONDS = 0.1


class Interruption:
    """Raised while the agent is told to stop, or after the current run was aborted or lost."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._raised = threading.Event()

    @property
    def is_stopping(self) -> bool:
        """Whether the whole agent is to stop, and not this run alone."""
        return self._stop.is_set()

    @property
    def is_raised(self) -> bool:
        return self._raised.is_set() or self._stop.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep that long or until the signal is raised; True if it is raised."""
        end = time.monotonic() + seconds
        while not self.is_raised:
            rest = end - time.monotonic()
            if rest <= 0:
                return False
            self._raised.wait(min(rest, _GLANCE_SECONDS))
        return True

    def wait_for_stop(self, seconds: float) -> bool:
        """Like ``wait``, for work that must be done although the run was aborted."""
        return self._stop.wait(seconds)

    def raise_sign(self) -> None:
        self._raised.set()

    def lower_sign(self) -> None:
        """Lower the signal, for example for the steps that clean up after an abort."""
        self._raised.clear()
