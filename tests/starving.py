"""Whether the machine gave this process no processor for a while: what real time cannot bear.

Does: a thread that should wake up often notes when it could not, though the process did not work.
Does not: judge (``tests.calm``). A collector that blocks its own loop is not starved: the thread
wakes up in time, or the process used its time.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import NamedTuple

INTERVAL = 0.05
STARVED = 0.25
"""Seconds at a stretch; the grace of the labs begins at 0.5."""
WORKING = 0.5
"""Share of a stretch beyond which the process worked itself."""
BEFORE, AFTER = 3.0, 12.0
"""Seconds around a period's begin in which a stretch concerns it: cards are late, then rows."""


class Stretch(NamedTuple):
    """A time without a processor, by the system's clock."""

    begin: float
    seconds: float


class Watch:
    """The newest stretches of this process."""

    def __init__(self) -> None:
        self.stretches: deque[Stretch] = deque(maxlen=1000)
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """From now on; may be called again."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="starving", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        before, used = time.monotonic(), time.process_time()
        while True:
            time.sleep(INTERVAL)
            now, worked = time.monotonic(), time.process_time()
            self.note(now - before - INTERVAL, worked - used)
            before, used = now, worked

    def note(self, late: float, worked: float) -> None:
        """The thread woke up so late, and the process used so much of its time."""
        if late > STARVED and worked < WORKING * late:
            self.stretches.append(Stretch(time.time() - late, late))

    def near(self, nominal: int) -> float:
        """The longest stretch that concerns the period of that begin (ns since 1970), seconds."""
        at = nominal / 1e9
        return max(
            (
                one.seconds
                for one in self.stretches
                if one.begin < at + AFTER and one.begin + one.seconds > at - BEFORE
            ),
            default=0.0,
        )


WATCH = Watch()
