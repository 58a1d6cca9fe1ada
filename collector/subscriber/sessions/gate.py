"""The gate that every new connection goes through: so many at once, so many in a second.

Does: spread out what wants to connect at the same time, in the order of asking. Does not: connect,
or wait between the tries of one device (``backoff``).

Rules: a log-in costs some 4 ms of CPU here; without the rate, 2,000 devices that were lost together
would keep this process from everything else for ten seconds.
"""

from __future__ import annotations

import asyncio


class Gate:
    """``async with gate:`` around opening a session; lives in one event loop."""

    def __init__(self, at_once: int, per_second: float) -> None:
        """
        Args:
            at_once: places inside.
            per_second: how many may enter in a second.
        """
        self._places = asyncio.Semaphore(at_once)
        self._gap = 1 / per_second
        self._next = 0.0
        """The loop's time from which on the next one may enter."""

    async def __aenter__(self) -> None:
        await self._places.acquire()
        try:
            await self._turn()
        except BaseException:
            self._places.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._places.release()

    async def _turn(self) -> None:
        now = asyncio.get_running_loop().time()
        mine = max(now, self._next)
        self._next = mine + self._gap
        if mine > now:
            await asyncio.sleep(mine - now)
