"""Pace: how far reading a session may run ahead of the disk.

Does: stop a session while what it brought waits for the group commit. Does not: read, or write.

Rules: NETCONF has no acknowledgement of a notification; reading on is the only one there is, and a
device that is not read is slowed by SSH (RFC 4254 §5.2) and TCP. So at most ``READ_AHEAD`` octets
of a session may be lost by a power failure, and what a slow disk holds up waits in the device.
"""

from __future__ import annotations

import asyncio

from collector.errors import IntakeFullError
from collector.interfaces import Intake

READ_AHEAD = 4 * 1024 * 1024
"""Octets of one session that may wait for the disk (ours); the commit comes after 1 MiB at the
latest, so that only a disk that cannot keep up stops anybody."""


class Pace:
    """Of one device's session; lives in the event loop's thread."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._ahead = 0
        """Octets taken since the last commit that was waited for."""
        self._waiting: asyncio.Task[None] | None = None

    def check(self) -> None:
        """Raise IntakeFullError while the disk is behind: nothing may be taken."""
        if self._waiting is not None:
            raise IntakeFullError("the disk is behind what the session brought")

    def took(self, offset: int, octets: int) -> None:
        """So much was taken; the journal stands at ``offset``."""
        self._ahead += octets
        if self._ahead >= READ_AHEAD and self._waiting is None:
            self._waiting = asyncio.ensure_future(self._catch_up(offset))

    async def _catch_up(self, offset: int) -> None:
        try:
            await self._intake.committed(offset)
        except IntakeFullError:
            pass  # a sync failed, which is counted there: a device cannot be asked to say it again
        finally:
            self._ahead, self._waiting = 0, None

    def stop(self) -> None:
        """The session is over."""
        if self._waiting is not None:
            self._waiting.cancel()
