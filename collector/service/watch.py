"""Sink: tells the subscriber what a notification of another transport did to a subscription.

In ``mso`` mode the master's ``subscription-terminated`` may come over UDP-notif; the session that
established the subscription would never hear of it and would wait for ever. Likewise where changes
of an on-change subscription were lost: only what reads the journal can see that.
"""

from __future__ import annotations

from collections.abc import Callable

from collector.interfaces import Said

ENDED_HERE = (
    "deleted", "session-lost", "collector-down", "stopped", "not-configured", "stop-time",
    "replaced", "forgotten",
)  # fmt: skip
"""Reasons that the subscriber knows already, since it made them."""


class SubscriptionWatch:
    """Meets ``interfaces.Sink``."""

    name = "subscription-watch"

    def __init__(
        self,
        ended: Callable[[str, int, str], None],
        paused: Callable[[str, int, bool, str], None],
        lost: Callable[[str, int, str], bool],
    ) -> None:
        """
        Args:
            ended: device, subscription id, reason; called once for each end.
            paused: device, subscription id, whether it is suspended, reason; called whenever
                something about a living one is said.
            lost: device, subscription id, reason; what is to be asked for as a whole once more.
        """
        self._ended = ended
        self._paused = paused
        self._lost = lost

    def start(self) -> None:
        """Nothing to open."""

    def write(self, said: Said) -> None:
        """Look for ends, suspensions and losses."""
        for row in said.subscriptions:
            if row.state != "ended":
                self._paused(row.device, row.id, row.state == "suspended", row.reason)
            elif row.reason not in ENDED_HERE:
                self._ended(row.device, row.id, row.reason)
        for one in getattr(said, "out_of_sync", ()):
            self._lost(one.device, one.subscription_id, one.why)

    def flush(self) -> None:
        """Nothing waits."""

    def stop(self) -> None:
        """Nothing to close."""
