"""Sink: tells the subscriber when a subscription ended by a notification of another transport.

In ``mso`` mode the master's ``subscription-terminated`` may come over UDP-notif; the session that
established the subscription would never hear of it and would wait for ever.
"""

from __future__ import annotations

from collections.abc import Callable

from collector.interfaces import Said

ENDED_HERE = ("deleted", "session-lost", "collector-down", "stopped", "not-configured")
"""Reasons that the subscriber knows already, since it made them."""


class SubscriptionWatch:
    """Meets ``interfaces.Sink``."""

    name = "subscription-watch"

    def __init__(self, ended: Callable[[str, int, str], None]) -> None:
        """``ended(device, subscription id, reason)`` is called once for each end."""
        self._ended = ended

    def start(self) -> None:
        """Nothing to open."""

    def write(self, said: Said) -> None:
        """Look for ends."""
        for row in said.subscriptions:
            if row.state == "ended" and row.reason not in ENDED_HERE:
                self._ended(row.device, row.id, row.reason)

    def flush(self) -> None:
        """Nothing waits."""

    def stop(self) -> None:
        """Nothing to close."""
