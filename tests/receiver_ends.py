"""What stands behind a receiver in its tests: a clock, and an intake that can be full or slow."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from collector.errors import IntakeFullError
from collector.model import CollectorTime, ReceivedBatch


class Clock:
    """The machine's."""

    def now(self) -> CollectorTime:
        """ns since 1970."""
        return CollectorTime(time.time_ns())


class Intake:
    """Keeps everything it takes; nothing while ``full``; commits while ``gate`` is open."""

    def __init__(self) -> None:
        self.batches: list[ReceivedBatch] = []
        self.full = False
        self.refused = 0
        """Batches that came while it was full."""
        self.gate = asyncio.Event()
        self.gate.set()

    def __len__(self) -> int:
        return sum(map(len, self.batches))

    def take(self, batch: ReceivedBatch) -> int:
        """Raises IntakeFullError."""
        if self.full:
            self.refused += 1
            raise IntakeFullError("the disk is full")
        assert len(batch)
        self.batches.append(batch)
        return len(self)

    async def committed(self, offset: int) -> None:
        """Whatever the offset."""
        del offset
        await self.gate.wait()

    def column(self, name: str) -> list[Any]:
        """A column of all batches."""
        return [value for batch in self.batches for value in getattr(batch, name)]
