"""Connections and requests that were refused: counted by reason, and said without a flood.

Does: hold the counts, and let one sentence for each reason into the log in ``QUIET_SECONDS``, with
the number of those that were only counted since. Does not: decide anything.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

QUIET_SECONDS: Final = 60.0
"""Between two sentences of one reason (ours)."""

_log = logging.getLogger(__name__)


class Refusals:
    """What one receiver refused, by reason. Reasons are fixed words, so the table is bounded."""

    __slots__ = ("_monotonic", "_said", "_who", "counts")

    def __init__(self, who: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """``who`` stands in front of each sentence: the name of the receiver."""
        self._who = who
        self._monotonic = monotonic
        self.counts: dict[str, int] = {}
        """Reason -> how often."""
        self._said: dict[str, tuple[float, int]] = {}
        """Reason -> when it was last said, and the count then."""

    def add(self, reason: str, sentence: str) -> None:
        """Count one, and say why unless the same was said a moment ago."""
        count = self.counts[reason] = self.counts.get(reason, 0) + 1
        now = self._monotonic()
        at, before = self._said.get(reason, (-QUIET_SECONDS, 0))
        if now - at < QUIET_SECONDS:
            return
        self._said[reason] = (now, count)
        unsaid = count - before - 1
        more = f" ({unsaid:,} more like it before)" if unsaid else ""
        _log.warning("%s: %s%s", self._who, sentence, more)
