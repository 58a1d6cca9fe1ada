"""The way of a record: decode -> engine -> rows. The only place that names the steps in order.

Rules: everything comes out of the journal batch and of what earlier records left behind
(``snapshot``): no clock, no configuration but that of the CONFIG record, no order but that of the
offsets. Runs of updates go to the engine in one call; any other record ends the run first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec
import numpy as np

from collector.core.engine import Engine
from collector.core.inventory import Inventory
from collector.core.placing.update_columns import UpdateColumns
from collector.core.settings import EngineSettings
from collector.core.subscriptions.cross_check import CrossCheck, Looked
from collector.errors import UsageError, WireError
from collector.model import (
    CollectorDown,
    CollectorTime,
    Dropped,
    Ended,
    Event,
    Fact,
    Notification,
    Paused,
    ReceivedBatch,
    RecordKind,
    Rejected,
    SidTable,
    StateChanged,
    SubscriptionRow,
    Verdict,
    transport_names,
)
from collector.pipeline.batch_columns import media_types, rows_with, updates_of
from collector.pipeline.bundles import columns_of, parts_of
from collector.pipeline.departures import departures
from collector.pipeline.exchanges import engine_inputs
from collector.pipeline.followers import Followers
from collector.pipeline.hearing import Hearing
from collector.pipeline.parts import (
    UNKNOWN_SOURCES_KEPT,
    DevicePart,
    PipelineCounts,
    Rest,
)
from collector.pipeline.patches import Patches
from collector.pipeline.rows import UpdateRows
from collector.pipeline.sampling import every_of
from collector.pipeline.schemas import sids_of
from collector.pipeline.senders import Senders
from collector.pipeline.settings import (
    decode_config,
    engine_settings,
    inventory_of,
    sid_tables,
)
from collector.store.said import Said
from collector.wire.notifications.envelopes import decode_batch

REST = ""
"""Name of the snapshot part that belongs to no device."""
_DATA: Final = int(RecordKind.DATA)


class Pipeline:
    """Journal batches in, what is said about them out."""

    def __init__(
        self,
        *,
        settings: EngineSettings | None = None,
        inventory: Inventory | None = None,
        sources: Mapping[str, str] | None = None,
        adjust: Callable[[EngineSettings], EngineSettings] = lambda settings: settings,
        sample_every: int | None = None,
    ) -> None:
        """Args:
        settings: what holds until a CONFIG record comes.
        inventory: who sends from where, until a CONFIG record comes.
        sources: peer address -> device, instead of what CONFIG records say.
        adjust: changes the settings of every CONFIG record (``collector replay -c``, both).
        sample_every: one period in how many is looked into, instead of what CONFIG records say.
        """
        self._settings = settings or EngineSettings()
        self.engine = Engine(self._settings)
        self.counts = PipelineCounts()
        self.unreadable: dict[int, WireError] = {}
        """Row of the last batch -> why its payload is no notification."""
        self.senders = Senders(inventory or Inventory({}))
        self._sources = sources
        self._adjust = adjust
        self._rest = Rest()
        self._sample_every = sample_every
        self._followers = Followers(sample_every)
        self._sids: dict[str, SidTable] = {}
        """Device, empty for all others -> its SIDs."""
        self._transports = transport_names({})
        """Number -> name."""

    @property
    def last_arrival(self) -> int:
        """Arrival of the last record read, ns; 0 before the first."""
        return self._rest.last_arrival

    @property
    def patches(self) -> Patches:
        """The patches of on-change subscriptions."""
        return self._followers.patches

    @property
    def cross_check(self) -> CrossCheck:
        """What devices say of their subscriptions, held against the engine."""
        return self._followers.cross_check

    @property
    def hearing(self) -> Hearing:
        """Who was heard when."""
        return self._followers.hearing

    @property
    def contents_left_out(self) -> dict[str, int]:
        """Reason word -> updates of sampled periods whose contents were not compared."""
        return self._followers.sampling.coverage.not_judged

    # ------------------------------------------------------------------ one batch
    def receive(self, first_offset: int, batch: ReceivedBatch, records: object) -> Said:
        """Everything that follows from a batch.

        Args:
            first_offset: journal offset of its first record.
            records: the same batch as Arrow columns, whose payload the update rows share; None
                where nobody keeps update rows, then none are made.
        """
        facts: list[Fact] = []
        rows = UpdateRows()
        self.unreadable = {}
        self.senders.begin()
        self._followers.begin(first_offset, batch, rows_wanted=records is not None)
        count = len(batch)
        others = np.flatnonzero(np.frombuffer(batch.kind, np.uint8) != _DATA).tolist()
        before = 0
        for row in others:
            if before < row:
                self._messages(batch, before, row, first_offset, rows, facts)
            if row:
                self._rest.last_arrival = batch.received_at[row - 1]
            self._other(batch, row, first_offset + row, facts)
            before = row + 1
        if before < count:
            self._messages(batch, before, count, first_offset, rows, facts)
        if count:
            self._rest.last_arrival = batch.received_at[-1]
        missed = self.engine.take_missed()
        said, out_of_sync = self._followers.end(facts, missed, self._rest.last_arrival)
        facts += said
        return Said(
            first_offset=first_offset,
            next_offset=first_offset + count,
            updates=rows.rows(records, first_offset, self._transports),
            edits=self.patches.rows,
            verdicts=[fact for fact in facts if isinstance(fact, Verdict)],
            events=[fact for fact in facts if isinstance(fact, Event)],
            subscriptions=[fact for fact in facts if isinstance(fact, SubscriptionRow)],
            out_of_sync=out_of_sync,
        )

    def _messages(
        self,
        batch: ReceivedBatch,
        start: int,
        end: int,
        first_offset: int,
        rows: UpdateRows,
        facts: list[Fact],
    ) -> None:
        """Notification messages, rows ``start`` to ``end``: updates run by run, others between."""
        device = self.senders.of_messages(batch, start, end)
        envelopes = decode_batch(
            batch.payload[start:end],
            media_types(batch, start, end),
            lambda row: sids_of(self._sids, device[row]),
        )
        updates = updates_of(batch, start, end, first_offset, envelopes, device)
        known, others = updates.device, envelopes.others
        for row, other in others.items():
            if isinstance(other, WireError):
                self.unreadable[start + row] = other
        strangers = [code for code, device in enumerate(known.words) if not device]
        odd = sorted({*others, *(rows_with(known.codes, strangers) if strangers else ())})
        before = 0
        for row in odd:
            self._updates(updates, before, row, rows, facts)
            before = row + 1
            said = others.get(row)
            if not known[row]:
                self._unknown_source(updates.source[row])
            elif isinstance(said, Notification) and said.bundled:
                self._bundle(updates, row, said, rows, facts)
            else:
                self._no_update(updates, row, others[row], facts)
        self._updates(updates, before, end - start, rows, facts)

    @property
    def sids(self) -> Mapping[str, SidTable]:
        """The SIDs of devices, as now configured (``schemas.sids_of``)."""
        return self._sids

    def _bundle(
        self,
        at: UpdateColumns,
        row: int,
        said: Notification,
        rows: UpdateRows,
        facts: list[Fact],
    ) -> None:
        """A message of several notifications: each goes where it would go alone."""
        parts = parts_of(at.update(row), said)
        placed, heard = self.engine.receive_bundle(parts)
        updates, placements, places = columns_of(parts, placed)
        if places:
            rows.add(updates, placements)
            self._followers.placed(updates, placements, places)
        facts += self._heard(heard, at.offset[row])

    def _no_update(
        self, at: UpdateColumns, row: int, said: Notification | WireError, facts: list[Fact]
    ) -> None:
        """A state change, or a message that was refused."""
        update = at.update(row)
        here = (
            update.arrival, update.device, update.source, update.port,
            update.publisher_id, update.message_id,
        )  # fmt: skip
        if isinstance(said, WireError):
            self._count_rejected(said.reason)
            refused = Rejected(*here, said.reason, at.offset[row])
            facts += self._heard(self.engine.receive(refused, here[0]), at.offset[row])
        else:
            changed = StateChanged(*here, said, at.offset[row])
            facts += self._heard(self.engine.receive(changed, here[0]), at.offset[row])

    def _count_rejected(self, reason: str) -> None:
        rejected = self.counts.rejected
        rejected[reason] = rejected.get(reason, 0) + 1

    def _updates(
        self, messages: UpdateColumns, start: int, end: int, rows: UpdateRows, facts: list[Fact]
    ) -> None:
        """Give a run of updates to the engine, and keep where it put them."""
        if start == end:
            return
        updates = messages.part(start, end)
        placements, said = self.engine.receive_batch(updates)
        rows.add(updates, placements)
        self._followers.placed(updates, placements)
        facts += said

    # ------------------------------------------------------------------ other records
    def _other(self, batch: ReceivedBatch, row: int, offset: int, facts: list[Fact]) -> None:
        kind = batch.kind[row]
        now = CollectorTime(batch.received_at[row])
        if kind == RecordKind.COLLECTOR_START:
            self._started(now, offset, facts)
        elif kind == RecordKind.CONFIG:
            self._configure(batch.payload[row], now, offset, facts)
        if kind == RecordKind.SESSION_UP:
            self.senders.up(batch.session[row], msgspec.json.decode(batch.payload[row])["device"])
        elif kind == RecordKind.SESSION_DOWN:
            self.senders.down(batch.session[row])
        for told in engine_inputs(batch, row, offset, self.senders.of_record(batch, row)):
            if isinstance(told, Event):
                facts.append(told)
            elif isinstance(told, Looked):
                facts += self.engine.handle_timer(now)
                facts += self.cross_check.receive(told, self.engine.running(told.device))
            else:
                if isinstance(told, Dropped | CollectorDown | Paused):
                    until = told.until if isinstance(told, Paused) else now
                    self._followers.nobody_listened(told.since, until)
                facts += self._heard(self.engine.receive(told, now), offset)

    def _started(self, now: CollectorTime, offset: int, facts: list[Fact]) -> None:
        """The time since the last record, nobody listened; sessions died with their process."""
        if self._rest.last_arrival:
            down = CollectorDown(now, CollectorTime(self._rest.last_arrival), offset)
            facts += self._heard(self.engine.receive(down, now), offset)
            self._followers.nobody_listened(down.since, now)
        for device in sorted(set(self.senders.sessions.values())):
            ended = Ended(now, device, None, "collector-down", offset)
            facts += self._heard(self.engine.receive(ended, now), offset)
        self.senders.sessions.clear()

    def _configure(
        self, payload: bytes, now: CollectorTime, offset: int, facts: list[Fact]
    ) -> None:
        if payload == self._rest.config:
            return
        config = decode_config(payload)
        self._rest.config = payload
        self.senders.inventory = inventory_of(config, self._sources)
        self._use_sids(sid_tables(config))
        self._transports = transport_names(config.transports)
        self._followers.sampling.configure(every_of(config.verdicts.coverage_sample), now, offset)
        gone = departures(self.engine, config, self.senders.inventory, now, offset)
        facts += self._heard(gone, offset)
        facts += self.engine.configure(self._adjust(engine_settings(config)), now)

    def _use_sids(self, sids: dict[str, SidTable]) -> None:
        self._sids = sids
        self._followers.use_sids(sids)

    def _heard(self, said: list[Fact], offset: int) -> list[Fact]:
        """What the engine said of the record at ``offset``, if it is no update."""
        for fact in said:
            if isinstance(fact, SubscriptionRow):
                self._followers.told(fact, offset)
        return said

    def _unknown_source(self, peer: str) -> None:
        counts = self.counts
        counts.unknown_source_messages += 1
        known = counts.unknown_sources
        if peer in known or len(known) < UNKNOWN_SOURCES_KEPT:
            known[peer] = known.get(peer, 0) + 1

    # ------------------------------------------------------------------ snapshots
    def snapshot_names(self) -> list[str]:
        """The parts of a snapshot in the order in which to take them.

        ``REST`` comes first, so that it has the smallest offset: what is read again from there
        on meets it as it was; the engine itself leaves out what a device's part already knows.
        """
        return [REST, *self.engine.devices()]

    def snapshot_part(self, name: str) -> bytes:
        """One part, as of the last record read."""
        if name == REST:
            self._rest.sessions = self.senders.sessions
            return msgspec.msgpack.encode(self._rest)
        part = self._followers.snapshot(name, self.engine.snapshot_device(name))
        return msgspec.msgpack.encode(part)

    def restore(self, parts: Iterable[tuple[str, int, bytes]]) -> int:
        """Go on from a snapshot, (name, offset, content) each; returns the offset to read from.

        One part after the other, the first one ``REST``: together they are as large as the state.

        Raises:
            UsageError: a part is of another version, or not in its place; nothing was changed.
            msgspec.MsgspecError: likewise.
        """
        left = iter(parts)
        first, offset, content = next(left, (None, 0, b""))
        if first != REST:
            raise UsageError("the snapshot does not begin with what belongs to no device")
        rest = msgspec.msgpack.decode(content, type=Rest)
        config = decode_config(rest.config) if rest.config else None
        settings = self._adjust(engine_settings(config)) if config else self._settings
        engine, followers = Engine(settings), Followers(self._sample_every)
        for name, known_to, content in left:
            part = msgspec.msgpack.decode(content, type=DevicePart)
            followers.restore(name, part, known_to)
            engine.restore_device(name, part.engine)
        if config is not None:
            followers.sampling.configure(every_of(config.verdicts.coverage_sample))
        self.engine, self._rest, self._followers = engine, rest, followers
        self.senders.sessions = rest.sessions
        if config is not None:
            self.senders.inventory = inventory_of(config, self._sources)
            self._use_sids(sid_tables(config))
            self._transports = transport_names(config.transports)
        return offset
