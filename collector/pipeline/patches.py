"""From the pipeline to ``core.on_change.patch_ids``, and the rows of the table ``edits``.

Does: read the patch of every push-change-update, hand its id over, and make a row of each edit.
Does not: cost updates of subscriptions without such more than one look at a batch.

Rules: contents that cannot be read were readable enough for the envelope: they are no rejected
message, only counted. Rows are in the order of the journal and, within a patch, of its sender.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.core.on_change.patch_ids import RUNS_PER_DEVICE, Patched, PatchIds, PatchInput
from collector.core.on_change.sync_state import Filled, Missed, Revised
from collector.core.placing.update_columns import UpdateColumns
from collector.errors import WireError
from collector.model import (
    NOTHING,
    CollectorTime,
    EditRow,
    Event,
    NotificationKind,
    OutOfSync,
    Placements,
    ReceivedBatch,
    SidTable,
    SubscriptionRow,
)
from collector.pipeline.batch_columns import media_type_of
from collector.pipeline.schemas import sids_of
from collector.wire.notifications.yang_patch import YangPatch, read_patch

FOLLOWED_PER_DEVICE = 2 * RUNS_PER_DEVICE
"""Subscription ids that are remembered before those that nothing follows are forgotten (ours)."""
_CHANGE = NotificationKind.PUSH_CHANGE_UPDATE
_UPDATE = NotificationKind.PUSH_UPDATE


class Patches:
    """The patches of the batch that is being read."""

    def __init__(self) -> None:
        self.sids: Mapping[str, SidTable] = {}
        """Device, empty for all others -> its SIDs."""
        self.ids = PatchIds()
        self.unread: dict[str, int] = {}
        """Reason word -> push-change-updates whose patch could not be read."""
        self.rows: list[EditRow] = []
        """Of the batch."""
        self._rows_wanted = False
        self._batch = ReceivedBatch()
        self._first_offset = 0
        self._inputs: list[PatchInput] = []
        self._followed: dict[str, set[int]] = {}
        """device -> subscription ids that had push-change-updates."""

    def restore(self, device: str, state: bytes, known_to: int) -> None:
        """Go on from a snapshot; see ``PatchIds.restore``."""
        self.ids.restore(device, state, known_to)
        self._followed[device] = self.ids.subscriptions(device)

    def begin(self, first_offset: int, batch: ReceivedBatch, *, rows_wanted: bool) -> None:
        """A batch begins."""
        self._first_offset, self._batch, self._rows_wanted = first_offset, batch, rows_wanted
        self.rows = []

    def placed(
        self, updates: UpdateColumns, placements: Placements, places: Sequence[int] = ()
    ) -> None:
        """Updates that the engine put somewhere; ``places`` as in ``Sampling.placed``."""
        for row in self._concerned(updates, placements):
            changed = updates.kind[row] is _CHANGE
            patch = self._patch(updates, row, places[row] if places else 0) if changed else None
            one = _input(updates, placements, row, patch)
            if changed or one.incomplete:
                self._follow(one.device, one.subscription_id)
            if patch is not None or not changed:
                self._inputs.append(one)
            if patch is not None and self._rows_wanted:
                self.rows += _rows(one, patch)

    def _follow(self, device: str, subscription_id: int) -> None:
        known = self._followed.setdefault(device, set())
        if len(known) >= FOLLOWED_PER_DEVICE:
            known = self._followed[device] = self.ids.subscriptions(device)
        known.add(subscription_id)

    def _concerned(self, updates: UpdateColumns, placements: Placements) -> Iterator[int]:
        """The push-change-updates, the push-updates that their ids begin anew behind, those of
        unknown subscriptions, and those that leave something out where no period says so."""
        kinds = np.frombuffer(updates.kind.codes, np.uint32)
        changes = _having(updates.kind.words, kinds, _CHANGE)
        known = np.frombuffer(placements.revisions, np.int64) >= 0
        incomplete = np.frombuffer(updates.incomplete_update, np.bool_)
        if incomplete.any():
            without = np.frombuffer(placements.period_indexes, np.int64) == NOTHING
            changes = changes | (incomplete & without & known)
        if not known.all():
            changes = changes | (~known & _having(updates.kind.words, kinds, _UPDATE))
        changed = np.flatnonzero(changes).tolist()
        if not changed and not self._followed:
            return
        devices = {updates.device[row] for row in changed} | self._followed.keys()
        codes = [code for code, name in enumerate(updates.device.words) if name in devices]
        own = np.isin(np.frombuffer(updates.device.codes, np.uint32), codes)
        chosen = changes | (own & _having(updates.kind.words, kinds, _UPDATE))
        for row in np.flatnonzero(chosen).tolist():
            if changes[row] or _key(updates, row) in self._followed.get(updates.device[row], ()):
                yield row

    def _patch(self, updates: UpdateColumns, row: int, place: int) -> YangPatch | None:
        record = updates.offset[row] - self._first_offset
        batch = self._batch
        try:
            sids = sids_of(self.sids, updates.device[row])
            found = read_patch(batch.payload[record], media_type_of(batch, record), place, sids)
        except WireError as error:
            self._count_unread(error.reason)
            return None
        if found is None:
            self._count_unread("no-patch")
        return found

    def _count_unread(self, reason: str) -> None:
        self.unread[reason] = self.unread.get(reason, 0) + 1

    def told(self, row: SubscriptionRow, offset: int) -> None:
        """A subscription began, changed or ended with the record at ``offset``; one without a
        period may be on-change, of which push-updates count from the first one on."""
        if row.period_cs is not None:
            return
        over = row.state == "ended"
        self._inputs.append(Revised(row.time, offset, row.device, row.id, row.revision, over))
        if not over:
            self._follow(row.device, row.id)

    def end(
        self, missed: Sequence[Missed | Filled], now: int
    ) -> tuple[list[Event], list[OutOfSync]]:
        """The batch ends at ``now``; ``missed``: Message IDs that the engine missed in it."""
        inputs = self._inputs
        if inputs or missed:
            inputs = sorted([*inputs, *missed], key=_order)
            self._inputs = []
        return self.ids.receive(inputs, now), self.ids.take_wanted()


def _order(one: PatchInput) -> tuple[int, int]:
    """Of what one record shows: what began with it, what is missing before it, the patch."""
    return one.offset, 0 if isinstance(one, Revised) else 2 if isinstance(one, Patched) else 1


def _having(words: Sequence[object], codes: NDArray[np.uint32], word: object) -> NDArray[np.bool_]:
    """The rows with a word."""
    found: NDArray[np.bool_] = np.equal(codes, words.index(word) if word in words else len(words))
    return found


def _key(updates: UpdateColumns, row: int) -> int:
    found = updates.subscription_id[row]
    return -1 if found == NOTHING else found


def _input(
    updates: UpdateColumns, placements: Placements, row: int, patch: YangPatch | None
) -> Patched:
    made = updates.event_time[row]
    return Patched(
        CollectorTime(updates.arrival[row]),
        updates.offset[row],
        updates.device[row],
        _key(updates, row),
        placements.revisions[row],
        placements.generators[row],
        None if patch is None else patch.patch_id,
        updates.arrival[row] if made == NOTHING else made,
        updates.incomplete_update[row] == 1,
    )


def _rows(one: Patched, patch: YangPatch) -> Iterator[EditRow]:
    for position, edit in enumerate(patch.edits):
        yield EditRow(
            received_at=one.time,
            device=one.device,
            generator=one.generator,
            subscription_id=None if one.subscription_id < 0 else one.subscription_id,
            revision=None if one.revision < 0 else one.revision,
            journal_offset=one.offset,
            patch_id=patch.patch_id,
            position=position,
            edit_id=edit.edit_id,
            operation=edit.operation,
            target=edit.target,
            point=edit.point,
            insert_where=edit.where,
            value=None if edit.value is None else _json(edit.value),
        )


def _json(value: Any) -> str:
    """Plain values as JSON text; octets and tags of CBOR as the text that they have."""
    return json.dumps(value, default=str, ensure_ascii=False, separators=(",", ":"))
