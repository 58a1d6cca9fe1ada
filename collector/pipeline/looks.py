"""From the pipeline to ``core``'s cross-check: looks into ``/subscriptions``, and what is counted.

Does: count the records of the subscriptions that devices tell counters of. Does not: cost anything
for updates of the others but one look at a batch, and none before the first counter was told.
"""

from __future__ import annotations

import numpy as np

from collector.core.subscriptions.cross_check import CrossCheck, Entry, Looked, Receiver
from collector.model import NOTHING, CollectorTime, Placements
from collector.wire.netconf.rpc import SubscriptionState


def looked(
    entries: tuple[SubscriptionState, ...], device: str, time: CollectorTime, offset: int
) -> Looked:
    """What came of a look."""
    found = (
        Entry(
            one.id,
            one.generators,
            tuple(Receiver(r.name, r.state, r.sent_event_records) for r in one.receivers),
        )
        for one in entries
    )
    return Looked(time, device, offset, tuple(found))


def count_placed(check: CrossCheck, placements: Placements) -> None:
    """Updates that the engine put somewhere: a message that came twice has no period."""
    watched = check.watched
    if not watched:
        return
    revisions = np.frombuffer(placements.revisions, np.int64)
    once = np.frombuffer(placements.period_indexes, np.int64) != NOTHING
    without = [number for number, series in watched.items() if not series.period]
    if without:
        once |= np.isin(revisions, without)
    found = revisions[once & np.isin(revisions, list(watched))]
    for revision, records in zip(*np.unique(found, return_counts=True), strict=True):
        check.count(int(revision), int(records))
