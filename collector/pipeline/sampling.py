"""From the pipeline to ``core.node_sets.coverage``: the contents of a sample of periods.

Does: choose the periods, read their updates' contents, and hand them over with what the engine
said. Does not: judge, or cost anything for the updates of other periods but one division.

Rules: one period in ``every`` of each revision of a subscription, counted from the revision, so
that replay takes the same ones and a fleet's devices do not all take the same; and the first ones
after it changed (``soon``), for nodes move then. Contents that cannot be read were readable enough
for the envelope: they are no rejected message, only not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from collector.core.node_sets.coverage import Coverage, CoverageInput
from collector.core.node_sets.coverage_state import Contents, Reset
from collector.core.placing.update_columns import UpdateColumns
from collector.errors import WireError
from collector.model import (
    NOTHING,
    CollectorTime,
    Event,
    Fact,
    NotificationKind,
    Placements,
    ReceivedBatch,
    SidTable,
    SubscriptionRow,
    Verdict,
)
from collector.pipeline.batch_columns import media_type_of
from collector.pipeline.schemas import sids_of
from collector.pipeline.soon import Soon
from collector.wire.notifications.nodes import NodeIds, entry_of, read_nodes

EVERY = 50
"""What holds until a CONFIG record comes: 2 %."""
_NOTHING = NodeIds(frozenset(), whole=False)


def every_of(sample: float) -> int:
    """One period in how many, for a part of 0 to 1; 0 for none."""
    return round(1 / sample) if sample > 1e-9 else 0


class Sampling:
    """The sampled updates of the batch that is being read."""

    def __init__(self, always: int | None = None) -> None:
        """``always``: one period in so many, whatever ``configure`` says."""
        self.coverage = Coverage()
        self.soon = Soon()
        self._always = always
        self._every = EVERY if always is None else always
        self.sids: dict[str, SidTable] = {}
        """Device, empty for all others -> its SIDs."""
        self._batch = ReceivedBatch()
        self._first_offset = 0
        self._inputs: list[CoverageInput] = []

    def begin(self, first_offset: int, batch: ReceivedBatch) -> None:
        """A batch begins."""
        self._first_offset, self._batch = first_offset, batch

    def configure(self, every: int, now: CollectorTime | None = None, offset: int = 0) -> None:
        """Another sample from ``now`` on; None: nothing was taken yet."""
        every = every if self._always is None else self._always
        if now is not None and every != self._every:
            self._inputs.append(Reset(now, offset))
        self._every = every

    def placed(
        self, updates: UpdateColumns, placements: Placements, places: Sequence[int] = ()
    ) -> None:
        """Updates that the engine put somewhere; ``places``: of a bundle, which of its
        notifications each is."""
        every = self._every
        if not every:
            return
        indexes = np.frombuffer(placements.period_indexes, np.int64)
        revisions = np.frombuffer(placements.revisions, np.int64)
        chosen = ((indexes + revisions) % every == 0) & (indexes != NOTHING)
        for row in self.soon.rows(updates, revisions, indexes):
            chosen[row] = True
        for row in np.flatnonzero(chosen).tolist():
            self._look_into(updates, placements, row, places[row] if places else 0)

    def _look_into(
        self, updates: UpdateColumns, placements: Placements, row: int, place: int
    ) -> None:
        record = updates.offset[row] - self._first_offset
        sids = sids_of(self.sids, updates.device[row])
        found = self._nodes(updates.kind[row], record, place, sids)
        self._inputs.append(
            Contents(
                CollectorTime(updates.arrival[row]),
                updates.device[row],
                placements.revisions[row],
                placements.period_indexes[row],
                placements.generators[row],
                found.ids,
                frozenset(map(entry_of, found.ids)),
                found.whole,
            )
        )

    def _nodes(self, kind: NotificationKind, record: int, place: int, sids: SidTable) -> NodeIds:
        """``record``: row of the batch of records."""
        if kind is not NotificationKind.PUSH_UPDATE:
            return _NOTHING
        try:
            payload, media_type = self._batch.payload[record], media_type_of(self._batch, record)
            return read_nodes(payload, media_type, place, sids)
        except WireError:
            return _NOTHING

    def end(self, facts: Iterable[Fact], now: int) -> list[Event]:
        """The batch ends at ``now``; ``facts``: what the engine said of it."""
        every, inputs = self._every, self._inputs
        looked = {(one.revision, one.period_index) for one in inputs if isinstance(one, Contents)}
        for fact in facts:
            if type(fact) is Verdict:
                if (
                    (every and not (fact.revision + fact.period_index) % every)
                    or (fact.revision, fact.period_index) in looked
                    or self.coverage.holds(fact.device, fact.revision, fact.period_index)
                ):
                    inputs.append(fact)
            elif type(fact) is SubscriptionRow:
                inputs.append(fact)
        self._inputs = []
        return self.coverage.receive(inputs, CollectorTime(now))
