"""Who follows the records beside the engine: coverage, patches, cross-check, who was heard.

Does: hand each of them what the engine said of the records, in one order. Does not: know a rule of
theirs, or touch a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from collector.core.on_change.sync_state import Filled, Missed
from collector.core.placing.update_columns import UpdateColumns
from collector.core.subscriptions.cross_check import CrossCheck
from collector.model import (
    CollectorTime,
    Event,
    Fact,
    OutOfSync,
    Placements,
    ReceivedBatch,
    SidTable,
    SubscriptionRow,
)
from collector.pipeline.hearing import Hearing
from collector.pipeline.looks import count_placed
from collector.pipeline.parts import DevicePart
from collector.pipeline.patches import Patches
from collector.pipeline.sampling import Sampling


class Followers:
    """Those of one pipeline."""

    def __init__(self, sample_every: int | None) -> None:
        """``sample_every``: see ``Pipeline``."""
        self.sampling = Sampling(sample_every)
        self.patches = Patches()
        self.cross_check = CrossCheck()
        self.hearing = Hearing()

    def begin(self, first_offset: int, batch: ReceivedBatch, *, rows_wanted: bool) -> None:
        """A batch begins; ``rows_wanted``: of the table ``edits``."""
        self.sampling.begin(first_offset, batch)
        self.patches.begin(first_offset, batch, rows_wanted=rows_wanted)
        self.hearing.begin(first_offset, batch)

    def placed(
        self, updates: UpdateColumns, placements: Placements, places: Sequence[int] = ()
    ) -> None:
        """Updates that the engine put somewhere; ``places`` as in ``Sampling.placed``."""
        self.sampling.placed(updates, placements, places)
        self.patches.placed(updates, placements, places)
        self.hearing.placed(updates, placements, places)
        count_placed(self.cross_check, placements)

    def told(self, row: SubscriptionRow, offset: int) -> None:
        """The record at ``offset``, which is no update, changed a subscription."""
        self.sampling.soon.told(row)
        self.patches.told(row, offset)
        self.hearing.told(row)

    def nobody_listened(self, since: CollectorTime, now: CollectorTime) -> None:
        """We ourselves lost something in that time."""
        self.cross_check.forget_counts()
        self.hearing.never.nobody_listened(since, now)

    def use_sids(self, sids: dict[str, SidTable]) -> None:
        """Device, empty for all others -> its SIDs, from now on."""
        self.sampling.sids = self.patches.sids = self.hearing.sids = sids

    def end(
        self, facts: Iterable[Fact], missed: Sequence[Missed | Filled], now: int
    ) -> tuple[list[Event], list[OutOfSync]]:
        """The batch ends at ``now``.

        Args:
            facts: what the engine said of it.
            missed: Message IDs that it missed in it.
        """
        said = self.sampling.end(facts, now) + self.hearing.end(now)
        further, out_of_sync = self.patches.end(missed, now)
        return said + further, out_of_sync

    # ------------------------------------------------------------------ snapshots
    def snapshot(self, device: str, engine: bytes) -> DevicePart:
        """The part of a device; ``engine``: the engine's own."""
        return DevicePart(
            engine,
            self.sampling.coverage.snapshot(device),
            self.patches.ids.snapshot(device),
            self.cross_check.snapshot(device),
            self.hearing.snapshot(device),
            self.sampling.soon.snapshot(device),
        )

    def restore(self, device: str, part: DevicePart, known_to: int) -> None:
        """Go on from a part that was taken at the journal offset ``known_to``.

        Raises:
            msgspec.MsgspecError: it is of another version.
        """
        self.sampling.coverage.restore(device, part.coverage, known_to)
        self.patches.restore(device, part.patches, known_to)
        self.cross_check.restore(device, part.cross_check, known_to)
        self.hearing.restore(device, part.hearing)
        self.sampling.soon.restore(part.soon)
