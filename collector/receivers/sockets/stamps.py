"""When datagrams arrived, by our clock.

Does: turn the kernel's stamps into arrivals. Does not: read a socket. Rules: arrivals never go
back; datagrams may have waited in the socket, and who only looks at the time of reading would call
whole periods late after a stall; one without a stamp came now. The system's clock may be set
meanwhile: a stamp is only believed between the last arrival and now.
"""

from __future__ import annotations

import time
from array import array

import numpy as np
from numpy.typing import NDArray


class Arrivals:
    """Of one socket."""

    def __init__(self) -> None:
        self.last = 0
        """CollectorTime up to which everything that came was read."""

    def of(self, stamps: NDArray[np.int64], now: int) -> array[int]:
        """CollectorTime of each datagram of a read.

        Args:
            stamps: ns since 1970 by the system's clock; 0 where it says nothing. At least one.
            now: CollectorTime.
        """
        waited = np.where(stamps > 0, (time.time_ns() - stamps).clip(0), 0)
        arrivals = np.maximum.accumulate(np.maximum(now - waited, min(self.last, now)))
        self.last = int(arrivals[-1])
        return array("q", arrivals.tobytes())
