"""Batches on their way to an intake that may be full.

Does: hand a batch over; keep the one that is not taken, and offer it again until it is. Does not:
read: whoever does is told to pause, and to go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from collector.errors import IntakeFullError
from collector.interfaces import Intake
from collector.model import ReceivedBatch

_RETRY_SECONDS: Final = 0.1
"""Between two offers to an intake that is full."""

_log = logging.getLogger(__name__)


class Offering:
    """Of one receiver, on one event loop."""

    def __init__(
        self, intake: Intake, name: str, pause: Callable[[], None], go_on: Callable[[], None]
    ) -> None:
        """
        Args:
            intake: takes the batches.
            name: of the receiver, for the log.
            pause: called when a batch was not taken.
            go_on: called when it was taken after all.
        """
        self._intake = intake
        self._name = name
        self._pause = pause
        self._go_on = go_on
        self._pending: ReceivedBatch | None = None
        self._retry: asyncio.TimerHandle | None = None
        """Set while reading pauses."""

    @property
    def full(self) -> bool:
        """There is a batch that was not taken yet: nothing is to be read."""
        return self._pending is not None

    def offer(self, batch: ReceivedBatch) -> int:
        """Hand a batch over; returns the records taken. Not while it is ``full``."""
        if not len(batch):
            return 0
        try:
            self._intake.take(batch)
        except IntakeFullError as error:
            self._pending = batch
            if self._retry is None:
                _log.warning("%s: reading pauses: %s", self._name, error)
                self._pause()
                self._wait()
            return 0
        return len(batch)

    def again(self) -> int:
        """Offer what was kept once more; returns the records taken."""
        batch, self._pending = self._pending, None
        if batch is None or not self.offer(batch):
            return 0
        if self._retry is not None:
            _log.warning("%s: reading goes on", self._name)
            self._retry.cancel()
            self._retry = None
            self._go_on()
        return len(batch)

    def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._retry = loop.call_later(_RETRY_SECONDS, self._try_again)

    def _try_again(self) -> None:
        self.again()
        if self._pending is not None:
            self._wait()

    def close(self, rest: int) -> None:
        """Offer nothing any more; ``rest`` records come too late as well."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self._pending is not None:
            lost = len(self._pending) + rest
            _log.error("%s: the intake is full; %d records are lost at the stop", self._name, lost)
            self._pending = None
