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
"""Octets of one session that may wait for the disk (ours)."""
ASK_AFTER = 1024 * 1024
"""Octets after which the commit is waited for, while reading goes on (ours): as many as make the
journal commit at once, so that only a disk that cannot keep up ever stops anybody."""


class Pace:
    """Of one device's session; lives in the event loop's thread."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._ahead = 0
        """Octets taken that are not known to be on the disk."""
        self._offset = 0
        """The journal's, behind all of them."""
        self._waiting: asyncio.Task[None] | None = None

    def check(self) -> None:
        """Raise IntakeFullError while the disk is too far behind: nothing may be taken."""
        if self._ahead >= READ_AHEAD:
            raise IntakeFullError("the disk is behind what the session brought")

    def took(self, offset: int, octets: int) -> None:
        """So much was taken; the journal stands at ``offset``."""
        self._ahead += octets
        self._offset = offset or self._offset
        self._ask()

    def _ask(self) -> None:
        if self._ahead >= ASK_AFTER and self._waiting is None:
            self._waiting = asyncio.ensure_future(self._catch_up(self._offset, self._ahead))

    async def _catch_up(self, offset: int, octets: int) -> None:
        try:
            await self._intake.committed(offset)
        except IntakeFullError:
            pass  # a sync failed, which is counted there: a device cannot be asked to say it again
        self._ahead -= octets
        self._waiting = None
        self._ask()

    def stop(self) -> None:
        """The session is over."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._ahead, self._waiting = 0, None
