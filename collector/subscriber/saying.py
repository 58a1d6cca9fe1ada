"""How often a thing that a device decides may be said: one that changes its mind all the time must
not fill a log. No clock of its own: times are handed in."""

from __future__ import annotations

from collections import deque

from collector.model import SECOND

MOST, WITHIN = 30, 60 * SECOND
"""Sentences about one device in a minute (ours); the store has all."""


class Saying:
    """Of one device."""

    def __init__(self) -> None:
        self._when: deque[int] = deque(maxlen=MOST)
        """ns, of the last ones that were said."""
        self._silent = False
        self.falls_silent = False
        """The last one was the first that may not be said."""

    def may(self, now: int) -> bool:
        """Something is to be said: is it? Counted when it is."""
        silent = len(self._when) == MOST and now - self._when[0] < WITHIN
        self.falls_silent = silent and not self._silent
        self._silent = silent
        if not silent:
            self._when.append(now)
        return not silent
