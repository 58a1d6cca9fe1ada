"""A call each second on the event loop: a receiver looks after drops, certificates and guests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

_SECONDS: Final = 1.0


class EachSecond:
    """From ``start`` to ``stop``; a call that fails does not end it."""

    def __init__(self, call: Callable[[], object]) -> None:
        """``call`` must not block."""
        self._call = call
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """First in a second, on the running loop."""
        self._timer = asyncio.get_running_loop().call_later(_SECONDS, self._due)

    def stop(self) -> None:
        """May be called twice, or without ``start``."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        self.start()
        self._call()
