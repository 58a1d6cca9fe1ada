"""Two clocks that are never mixed, both in whole nanoseconds since 1970-01-01T00:00:00Z.

``core.memory.clocks.lag`` is the only place that subtracts one from the other.
"""

from __future__ import annotations

from typing import NewType

DeviceTime = NewType("DeviceTime", int)
"""ns since 1970 by the publisher's clock: says which period."""
CollectorTime = NewType("CollectorTime", int)
"""ns since 1970 by the collector's clock: says when to stop waiting."""
JournalOffset = NewType("JournalOffset", int)
"""Position of a record in the journal: the count of records before it, from 0."""

SECOND = 1_000_000_000
CENTISECOND = 10_000_000
"""ns in the unit of RFC 8641 ``period`` and ``dampening-period``."""
