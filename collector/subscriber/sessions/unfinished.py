"""Messages that have begun and not ended: how long one may take, and what all may hold together.

Does: one ``Watch`` for each session, one ``Budget`` for all. Does not: read, or cut messages out.

Rules: a device that never ends a message, or ends it octet by octet, must cost nobody but itself:
no request runs while it sends, so no time-out of a request would find it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from collector.model import SECOND


class Budget:
    """Octets of unfinished messages of all sessions; in the event loop's thread."""

    def __init__(self, octets: int) -> None:
        self._octets = octets
        self._held: dict[Watch, int] = {}
        """Watch -> octets of its unfinished message; never 0."""
        self.total = 0

    def hold(self, watch: Watch, octets: int) -> None:
        """So many does this session hold now; who holds most is ended when all hold too many."""
        self.total += octets - self._held.pop(watch, 0)
        if octets:
            self._held[watch] = octets
        if self.total > self._octets:
            most = max(self._held, key=self._held.__getitem__)
            most.give_up(
                "message-too-large",
                f"the longest of all unfinished messages, which together are above {self._octets} "
                "octets",
            )


class Watch:
    """Over what one session is receiving."""

    def __init__(
        self,
        limit: int,
        budget: Budget | None,
        *,
        paused: Callable[[], bool],
        give_up: Callable[[str, str], None],
    ) -> None:
        """
        Args:
            limit: ns that a message may take.
            budget: of all sessions; None: without.
            paused: whether it is us who do not read.
            give_up: ends the session, with a reason and with what the device sent.
        """
        self._limit = limit / SECOND
        self._budget = budget
        self._paused = paused
        self._give_up = give_up
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._since = 0.0
        """The loop's time at which the unfinished message was seen first."""
        self.octets = 0
        """Of the unfinished message."""

    def look(self, octets: int, *, ended: bool) -> None:
        """After each piece: octets that wait for their end, and whether a message has ended."""
        if ended or not self.octets:
            self._since = self._loop.time()
        self.octets = octets
        if self._budget is not None:
            self._budget.hold(self, octets)
        if self.octets and self._timer is None:  # one timer for as long as there is anything
            self._timer = self._loop.call_later(self._limit, self._due)

    def stop(self) -> None:
        """The session is over. May be called twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.octets = 0
        if self._budget is not None:
            self._budget.hold(self, 0)

    def give_up(self, reason: str, text: str) -> None:
        """End the session."""
        self.stop()
        self._give_up(reason, text)

    def _due(self) -> None:
        self._timer = None
        if not self.octets:
            return
        now = self._loop.time()
        if self._paused():
            self._since = now
        left = self._since + self._limit - now
        if left > 0:
            self._timer = self._loop.call_later(left, self._due)
        else:
            text = f"a message of {self.octets} octets so far, without an end for {self._limit:g} s"
            self.give_up("timeout", text)
