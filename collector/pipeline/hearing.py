"""Who was heard when, where no period says it: on-change, event streams, and what never sent.

Does: keep the last arrival of each generator of subscriptions without periods, and tell
``core.subscriptions.never_sent`` of the first updates of each revision. Does not: judge, or cost
anything for updates of periodic subscriptions that brought something once but one look at a run.

Rules: records of an event stream name no subscription (RFC 8640 §6), so those of a device are kept
together. ``GENERATORS_KEPT`` of a device; those of revisions that are over go first.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from collector.core.engine import Engine
from collector.core.placing.update_columns import UpdateColumns
from collector.core.subscriptions.cross_check import Running
from collector.core.subscriptions.never_sent import NeverSent
from collector.core.views import OriginatorState
from collector.errors import WireError
from collector.model import (
    NOTHING,
    CollectorTime,
    Event,
    MediaType,
    NotificationKind,
    Placements,
    ReceivedBatch,
    SidTable,
    SubscriptionRow,
)
from collector.pipeline.batch_columns import media_type_of
from collector.pipeline.schemas import sids_of
from collector.wire.notifications.nodes import contents_of
from collector.wire.notifications.notification import skim_contents

GENERATORS_KEPT = 1024
"""Of one device (ours)."""
NO_SUBSCRIPTION = -1
"""In place of a revision: records that name no subscription."""
_SHOW_NOTHING = (MediaType.YANG_DATA_JSON, MediaType.YANG_DATA_XML, MediaType.YANG_DATA_CBOR)
"""Where contents that are not there can be told from contents that are elsewhere."""


class _Kept(Struct, array_like=True):
    """Of one device in a snapshot."""

    never: bytes = b""
    last: list[tuple[int, str, int]] = []


class Hearing:
    """All devices."""

    def __init__(self) -> None:
        self.never = NeverSent()
        self.sids: dict[str, SidTable] = {}
        """Device, empty for all others -> its SIDs."""
        self._last: dict[str, dict[tuple[int, str], int]] = {}
        """device -> (revision, generator) -> last arrival."""
        self._batch = ReceivedBatch()
        self._first_offset = 0

    def begin(self, first_offset: int, batch: ReceivedBatch) -> None:
        """A batch begins."""
        self._first_offset, self._batch = first_offset, batch

    def told(self, row: SubscriptionRow) -> None:
        """A subscription began, changed or ended, and no update did that."""
        self.never.told(row)
        kept = self._last.get(row.device)
        if row.state == "ended" and kept:
            self._last[row.device] = {key: at for key, at in kept.items() if key[0] != row.revision}

    def placed(
        self, updates: UpdateColumns, placements: Placements, places: Sequence[int] = ()
    ) -> None:
        """Updates that the engine put somewhere; ``places`` as in ``Sampling.placed``."""
        revisions = np.frombuffer(placements.revisions, np.int64)
        without = np.frombuffer(placements.period_indexes, np.int64) == NOTHING
        if without.any():
            for row in np.flatnonzero(without).tolist():
                self._without_period(updates, placements, row)
        waiting = self.never.waiting
        if waiting:
            for row in np.flatnonzero(np.isin(revisions, list(waiting))).tolist():
                revision, arrival = placements.revisions[row], updates.arrival[row]
                if self.never.is_looked_at(revision, arrival):
                    empty = self._is_empty(updates, row, places[row] if places else 0)
                    self.never.heard(revision, arrival, empty=empty)

    def end(self, now: int) -> list[Event]:
        """The batch ends at ``now``."""
        return self.never.handle_timer(CollectorTime(now))

    def _without_period(self, updates: UpdateColumns, placements: Placements, row: int) -> None:
        revision = placements.revisions[row]
        if revision < 0 and updates.subscription_id[row] != NOTHING:
            return  # of an unknown subscription
        kept = self._last.setdefault(updates.device[row], {})
        key = max(revision, NO_SUBSCRIPTION), placements.generators[row]
        if key in kept or len(kept) < GENERATORS_KEPT:
            kept[key] = updates.arrival[row]

    def _is_empty(self, updates: UpdateColumns, row: int, place: int) -> bool:
        record = updates.offset[row] - self._first_offset
        media_type = media_type_of(self._batch, record)
        if updates.kind[row] is not NotificationKind.PUSH_UPDATE or media_type not in _SHOW_NOTHING:
            return False
        try:
            sids = sids_of(self.sids, updates.device[row])
            message = skim_contents(self._batch.payload[record], media_type, sids)
        except WireError:
            return False
        return _holds_nothing(contents_of(message, place))

    # ------------------------------------------------------------------ for people
    def originators(self, engine: Engine) -> list[OriginatorState]:
        """``Engine.states`` with the last arrivals of those without periods, and whoever sends
        without being on a list."""
        states = {}
        for one in engine.states():
            states[one.device, one.subscription_id, one.generator] = one
        for device in sorted(self._last):
            for running in engine.running(device):
                for generator, arrival in self._of(device, running):
                    key = device, running.id, generator
                    one = states.get(key) or _stranger(device, running, generator)
                    states[key] = replace(one, last_arrival=CollectorTime(arrival))
        return list(states.values())

    def _of(self, device: str, running: Running) -> list[tuple[str, int]]:
        """The generators of a running subscription without a period, with their last arrivals."""
        if running.period:
            return []
        revision = running.revision if running.counted else NO_SUBSCRIPTION
        found = {who: at for (about, who), at in self._last[device].items() if about == revision}
        listed = running.generators or ()
        if not running.counted and len(listed) == 1 and found:
            return [(listed[0], max(found.values()))]  # a stream's records name nobody
        return sorted(found.items())

    # ------------------------------------------------------------------ snapshots
    def snapshot(self, device: str) -> bytes:
        """Of one device."""
        last = [(key[0], key[1], at) for key, at in self._last.get(device, {}).items()]
        return msgspec.msgpack.encode(_Kept(self.never.snapshot(device), last))

    def restore(self, device: str, state: bytes) -> None:
        """Go on from a snapshot, empty: of an earlier version. Raises msgspec.MsgspecError."""
        found = msgspec.msgpack.decode(state, type=_Kept) if state else _Kept()
        self.never.restore(found.never)
        if found.last:
            self._last[device] = {(revision, name): at for revision, name, at in found.last}


def _holds_nothing(value: object) -> bool:
    """Containers within containers, and no leaf."""
    if isinstance(value, dict):
        return all(map(_holds_nothing, value.values()))
    return value is None or value in ("", [])


def _stranger(device: str, running: Running, generator: str) -> OriginatorState:
    """Of whom nothing is known but that it sends."""
    return OriginatorState(
        device=device,
        subscription_name=running.name,
        subscription_id=running.id,
        generator=generator,
        last_arrival=None,
        lag=0,
        clock_shift=0,
        arc_start=None,
        arc_end=None,
        usual_count=None,
        counter="",
        scope="header",
        required=False,
        missing=False,
        odd_times=0,
        absurd_times=0,
    )
