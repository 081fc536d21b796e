"""The targets and the limits of all measures, in one place.

A target is where a figure is meant to be; the table says whether it is met. A limit is a guard against regressions:
it stands well beyond the figures of README.md, because the machines of CI are busy, and a figure beyond it makes the
command end with 1.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """The figure must be at least the target or, for a ceiling, at most."""

    limit: float
    target: float | None = None
    is_ceiling: bool = False

    def is_met_by(self, figure: float) -> bool:
        return self.target is None or self._reaches(figure, self.target)

    def is_kept_by(self, figure: float) -> bool:
        return self._reaches(figure, self.limit)

    def _reaches(self, figure: float, bound: float) -> bool:
        return figure <= bound if self.is_ceiling else figure >= bound


READ = Bounds(target=2.0, limit=0.5)
REPORT = Bounds(target=1.5, limit=0.2)
FULL_RUN = Bounds(target=3.0, limit=0.4)
SCREENSHOT_FILE = Bounds(target=0.25, limit=0.02)
SCREENSHOT_S3 = Bounds(target=0.6, limit=0.1)
START = Bounds(target=2.5, limit=6.0, is_ceiling=True)
MEMORY_MEGABYTES = Bounds(target=130.0, limit=200.0, is_ceiling=True)
BARE_READ = Bounds(limit=0.02)
BARE_REPORT = Bounds(limit=0.05)
