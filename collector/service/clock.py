"""The collector's clock: wall time at the start plus monotonic time since.

It never goes back, whatever happens to the machine's clock. When the two drift apart by more than a
second that is said once (``drifted``); a clock that ran behind is moved forward, one that ran ahead
is left alone until the wall has caught up, since journal times must not decrease.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from collector.model import SECOND, CollectorTime

DRIFT_LIMIT = SECOND
"""ns by which wall and clock may differ before somebody is told (the design's, section 2)."""


class CollectorClock:
    """Meets ``interfaces.Clock``."""

    def __init__(
        self,
        *,
        not_before: int = 0,
        wall: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """``not_before``: arrival of the journal's last record, which time must not undercut."""
        self._wall = wall
        self._monotonic = monotonic
        self._base = max(wall(), not_before + 1) - monotonic()
        self._said = 0

    def now(self) -> CollectorTime:
        """ns since 1970; never decreases."""
        return CollectorTime(self._base + self._monotonic())

    def drifted(self) -> int:
        """How far the wall clock is ahead (ns, negative: behind), 0 while that is no news."""
        drift = self._wall() - self.now()
        if abs(drift) <= DRIFT_LIMIT:
            self._said = 0
            return 0
        return 0 if abs(drift - self._said) <= DRIFT_LIMIT else drift

    def follow(self, drift: int) -> None:
        """What ``drifted`` said is known now; a clock that ran behind moves forward by it."""
        if drift > 0:
            self._base += drift
        else:
            self._said = drift
