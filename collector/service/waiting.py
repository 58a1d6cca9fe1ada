"""What waits in receivers while others hand over what came later.

Does: look at the receivers before a batch of others is taken. Does not: read, or tell the time.

Rules: the order of the journal is that of time, so whatever is taken after a batch looks at least
as late. Datagrams lie in the kernel with the time of their arrival on them; if the loop stood still
for seconds and a session were served first, they would all look late because we were. So they are
read first, unless they are more than we can read: then time waits for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from collector.interfaces import Clock, Receiver
from collector.model import SECOND

LOOKED: Final = SECOND // 20
"""ns for which a look holds (ours): far below any grace, and twenty looks a second cost nothing."""


class Waiting:
    """Of all receivers; called for each batch that none of them took from a datagram socket."""

    def __init__(self, receivers: Sequence[Receiver], clock: Clock) -> None:
        self._receivers = receivers
        self._clock = clock
        self._looked_at = 0

    def __call__(self) -> bool:
        """Whether one of them waits with what came earlier than now (``Receiver.behind``).

        What one has read ahead or could not hand over, a batch from the time when the disk was
        full, goes before what others bring now, which else would have to look as old as that batch:
        older than the times that they carry, as if their clocks had moved.
        """
        now = self._clock.now()
        stale = now - self._looked_at >= LOOKED
        if stale:
            self._looked_at = now  # before what is drained now is taken and asks again
        for receiver in self._receivers:
            first = getattr(receiver, "reads_ahead", False) or getattr(receiver, "refused", False)
            if first if receiver.behind else stale:
                receiver.drain()
        return any(receiver.behind for receiver in self._receivers)

    def drain(self) -> None:
        """Have all of them hand over what waits (``Receiver.drain``)."""
        for receiver in self._receivers:
            receiver.drain()
