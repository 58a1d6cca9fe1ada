"""Whether we stood still: the process stopped, starved of the processor, or busy for too long.

Does: tell from the time since the last sign of life that there was a stall. Does not: journal it
(``intake``), or say what follows (``core.expectation.deadlines``).

Rules: the timer of ``ticker`` says when it will come back; who comes before any other and finds
that this was long ago has found a stall. What arrived meanwhile over a stream has no time of its
own: unless the journal knows, a late reader calls its devices late.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from collector.model import SECOND

STILL: Final = SECOND // 4
"""ns beyond which a late timer is a stall (ours): the grace of short periods is a little less, of
all others more."""


class Alertness:
    """Of one event loop. By monotonic time: a clock that is set is no stall."""

    def __init__(self, monotonic: Callable[[], int] = time.monotonic_ns) -> None:
        self._monotonic = monotonic
        self._since: int | None = None
        """The last sign of life, None while nobody gives any."""
        self._until = 0

    def awake(self, wait: int = 0) -> None:
        """A sign of life; the next one comes in ``wait`` ns at the latest, if all is well."""
        self._since = self._monotonic()
        self._until = self._since + wait + STILL

    def asleep(self) -> None:
        """No more signs of life, on purpose."""
        self._since = None

    def stalled_for(self) -> int:
        """How long the stall was that ends now, ns; 0 where there was none."""
        now = self._monotonic()
        return 0 if self._since is None or now <= self._until else now - self._since
