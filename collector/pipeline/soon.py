"""Which periods are looked into at once: the first ones after a subscription changed.

Does: say for each placed update whether it belongs to such a period. Does not: read contents, or
cost anything while nothing changed lately.

Rules: while nodes move, two generators may have them, so the first period that counts is one that
began when ``core.node_sets.coverage`` takes periods again, and of which nothing was seen before;
``PERIODS`` of them, since one that lost a message tells nothing. All updates of a period are looked
into, late ones too, or nodes would seem to be gone.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from collector.core.node_sets.coverage import PERIODS_LATER
from collector.core.placing.update_columns import UpdateColumns
from collector.model import CENTISECOND, NOTHING, SubscriptionRow

PERIODS = 2
"""Looked into after each change (ours)."""
KEPT = 64
"""Periods for which a late update of them is still looked into (ours)."""
MOST = 256
"""Subscriptions at a time (ours)."""


class Changed(Struct):
    """A revision that changed lately."""

    device: str
    settled: int
    """When nodes are where they will be."""
    highest: int | None = None
    """Last period of which an update came since."""
    first: int | None = None
    """First period to look into; None: not yet known."""


class Soon:
    """Those of all devices."""

    def __init__(self) -> None:
        self._changed: dict[int, Changed] = {}
        """By revision."""

    def told(self, row: SubscriptionRow) -> None:
        """A subscription began, changed or ended, and no update did that."""
        self._changed.pop(row.revision, None)
        if row.state != "active" or row.period_cs is None or row.time == row.from_time:
            return
        if len(self._changed) < MOST:
            later = PERIODS_LATER * row.period_cs * CENTISECOND
            self._changed[row.revision] = Changed(row.device, row.time + later)

    def rows(
        self, updates: UpdateColumns, revisions: NDArray[np.int64], indexes: NDArray[np.int64]
    ) -> Iterator[int]:
        """The updates to look into."""
        if not self._changed:
            return
        about = np.isin(revisions, list(self._changed)) & (indexes != NOTHING)
        for row in np.flatnonzero(about).tolist():
            if self._is_chosen(int(revisions[row]), int(indexes[row]), updates.arrival[row]):
                yield row

    def _is_chosen(self, revision: int, index: int, arrival: int) -> bool:
        one = self._changed.get(revision)
        if one is None:
            return False
        one.highest = index if one.highest is None else max(index, one.highest)
        if one.first is None:
            if arrival >= one.settled:
                one.first = one.highest + 1
            return False
        if index >= one.first + KEPT:
            del self._changed[revision]
        return one.first <= index < one.first + PERIODS

    # ------------------------------------------------------------------ snapshots
    def snapshot(self, device: str) -> bytes:
        """Of one device; empty for nothing."""
        found = {number: one for number, one in self._changed.items() if one.device == device}
        return msgspec.msgpack.encode(found) if found else b""

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot. Raises msgspec.MsgspecError."""
        if state:
            self._changed |= msgspec.msgpack.decode(state, type=dict[int, Changed])
