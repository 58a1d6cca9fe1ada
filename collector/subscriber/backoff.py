"""How long to wait before trying again: exponential, bounded, jittered.

No clock and no randomness of its own: a number of [0, 1) is handed in.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from collector.model import SECOND


class BackoffSettings(Struct, frozen=True):
    """Times in ns."""

    first: int = SECOND
    """Longest wait before the second try."""
    factor: float = 2.0
    limit: int = 300 * SECOND
    """Longest wait of all."""
    reset_after: int = 60 * SECOND
    """A session that lived this long starts the waits from the beginning."""


class Backoff:
    """Waits grow by ``factor`` up to ``limit``; each is drawn from [half, whole) of its size.

    The jitter keeps a thousand devices that were lost together from coming back together.
    """

    def __init__(self, settings: BackoffSettings, random: Callable[[], float]) -> None:
        self._settings = settings
        self._random = random
        self._size = float(settings.first)

    def next(self) -> int:
        """ns to wait now."""
        size = min(self._size, float(self._settings.limit))
        self._size = min(size * self._settings.factor, float(self._settings.limit))
        return int(size * (0.5 + self._random() / 2))

    def reset(self) -> None:
        """The next wait is the first again."""
        self._size = float(self._settings.first)

    def lived(self, duration: int) -> None:
        """A session lasted ``duration`` ns; a long one makes the next wait the first again."""
        if duration >= self._settings.reset_after:
            self.reset()
