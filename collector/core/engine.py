"""The one door of the completeness engine: records and time in, facts out.

Does: route each input to its rule, in order of arrival, deadlines in between at their place.
Does not: know a rule; each rule of docs/verdicts.md has a file in a room below this.
Rules: what is said depends on the inputs and their arrival times alone, never on how they were cut
into batches or how often a timer ran. A deadline passes once something arrived, or time was asked,
*after* it. One device's inputs never touch another's state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collector.core import views
from collector.core.context import Context
from collector.core.expectation import stopping, unread
from collector.core.expectation.deadlines import CLOSE, LIFE, add_stall, end_of_stall, is_true
from collector.core.judging import amendments
from collector.core.memory import snapshot
from collector.core.memory.clocks import add_window
from collector.core.memory.state import NO_SUBSCRIPTION, Device, Subscription
from collector.core.numbering.message_ids import Finding
from collector.core.on_change.sync_state import Filled, Missed
from collector.core.originators import life
from collector.core.periods import closing
from collector.core.placing import continuity, counters, straight, straight_compiled, updates
from collector.core.placing.update_columns import UpdateColumns
from collector.core.settings import EngineSettings
from collector.core.subscriptions import endings, registry
from collector.core.subscriptions.cross_check import Running
from collector.core.views import Declaration, OriginatorState, UnknownSubscription
from collector.fast import native
from collector.model import (
    CollectorDown,
    CollectorStopped,
    CollectorTime,
    Dropped,
    Ended,
    EngineInput,
    Established,
    Fact,
    NotJudgedReason,
    Outcome,
    Paused,
    Placements,
    Rejected,
    StateChanged,
    StoodStill,
    Unreassembled,
    Update,
)

place_all = straight.place_all if native is None else straight_compiled.place_all


class Engine:
    """Says for every period of every subscription whether each originator delivered."""

    def __init__(self, settings: EngineSettings) -> None:
        self._context = Context(settings)
        self._devices: dict[str, Device] = {}
        self._next_offset = 0

    # ----------------------------------------------------------------------- the three verbs
    def receive_batch(self, batch: UpdateColumns) -> tuple[Placements, list[Fact]]:
        """Take updates in the order of their arrival; returns where each went, and what is said."""
        context, devices, count = self._context, self._devices, len(batch)
        placed, rows, row = Placements.of(count), batch.rows(), 0
        while True:
            row = place_all(context, devices, batch, rows, placed, row, self._until)
            if row == count:
                break
            placed.put(row, *self._update(batch.update(row)))
            row += 1
        if count:
            self._next_offset = batch.offset[-1] + 1
        return placed, self._context.take()

    def _update(self, update: Update) -> updates.Placed:
        device = self._devices.get(update.device) or self._device(update.device)
        if update.offset < device.next_offset:
            return updates.generator_of(self._context, update), -1, None
        return updates.take(self._context, device, update)

    def receive_bundle(
        self, parts: Sequence[Update | StateChanged]
    ) -> tuple[list[updates.Placed], list[Fact]]:
        """Take the notifications of one message, whose Message ID counts once.

        Returns:
            Where each ``Update`` went, and what is said.
        """
        context, first = self._context, parts[0]
        self._next_offset = first.offset + 1
        self._until(first.arrival)
        device = self._devices.get(first.device) or self._device(first.device)
        doubled = device.duplicates + 1
        placed = []
        context.bundle = []
        for part in parts:
            if isinstance(part, Update):
                placed.append(self._update(part))
            else:
                self._other(part)
        for run, _, _ in context.bundle:
            run.bundled = max(run.bundled, len(placed))
        context.bundle = None
        device.duplicates = min(device.duplicates, doubled)
        return placed, context.take()

    def receive(self, record: EngineInput, now: CollectorTime) -> list[Fact]:
        """Take anything; deadlines before its arrival (and before ``now``) come first."""
        self._next_offset = record.offset + 1
        if isinstance(record, CollectorDown):
            self._until(min(record.since, record.arrival))
            self._absent(record)
        self._until(record.arrival)
        if isinstance(record, Update):
            self._update(record)
        else:
            self._other(record)
        return self.handle_timer(now) if now > record.arrival else self._context.take()

    def next_deadline(self) -> CollectorTime | None:
        """The earliest time at which ``handle_timer`` may have something to do."""
        time = self._context.deadlines.next()
        return None if time is None else CollectorTime(time + 1)

    def handle_timer(self, now: CollectorTime) -> list[Fact]:
        """Time passed: deadlines before ``now`` are due."""
        self._until(now)
        return self._context.take()

    # ----------------------------------------------------------------------- settings, state
    def configure(self, settings: EngineSettings, now: CollectorTime) -> list[Fact]:
        """Other settings from ``now`` on: graces and the operator's lists of what runs."""
        self._until(now)
        self._context.settings = settings
        for device in self._devices.values():
            for counter in device.counters.values():
                counter.by_header = None  # the table of names may be another one
                forced = settings.per_subscription.get(device.name)
                if forced is not None:
                    counters.force(self._context, counter, forced)
        for one in self._live(self._next_offset):
            if one.period or one.terms.on_change is not None:
                registry.configured(self._context, one, now)
        closing.settle(self._context, now)
        return self._context.take()

    def take_missed(self) -> list[Missed | Filled]:
        """Where on-change subscriptions may have lost something, since the last call."""
        missed, self._context.missed = self._context.missed, []
        return missed

    def devices(self) -> list[str]:
        """Names of the devices that something is known of, sorted."""
        return sorted(self._devices)

    def states(self, device: str | None = None, *, ended: bool = False) -> list[OriginatorState]:
        """What is known of each originator right now, for people.

        ``ended``: those of subscriptions that are over, too.
        """
        names = self.devices() if device is None else [device]
        found = (self._devices[name] for name in names if name in self._devices)
        return [state for one in found for state in views.originators(one, ended=ended)]

    def declarations(self) -> list[Declaration]:
        """What devices declare for their running subscriptions, beside what is expected."""
        return [
            found for name in self.devices() for found in views.declarations(self._devices[name])
        ]

    def running(self, device: str) -> list[Running]:
        """The running subscriptions of a device, to be held against what it says of them."""
        found = self._devices.get(device)
        return [] if found is None else views.running(found)

    def unknown(self) -> list[UnknownSubscription]:
        """The subscription ids that data came for while nobody said their terms."""
        return [found for name in self.devices() for found in views.unknown(self._devices[name])]

    def fell_off(self) -> dict[str, dict[str, int]]:
        """device -> limit -> how often it refused or dropped something."""
        return {name: dict(one.fell_off) for name, one in self._devices.items() if one.fell_off}

    def per_subscription(self) -> dict[str, int]:
        """device -> publisher ids of which Message IDs count for each subscription alone."""
        found = {
            name: sum(1 for counter in one.counters.values() if counter.per_key and counter.each)
            for name, one in self._devices.items()
        }
        return {name: number for name, number in found.items() if number}

    def duplicates(self) -> int:
        """Messages that came twice, of all devices."""
        return sum(one.duplicates for one in self._devices.values())

    def snapshot_device(self, device: str) -> bytes:
        """The state of one device; inputs up to now are in it."""
        return snapshot.freeze(self._devices[device], self._next_offset)

    @classmethod
    def restore(cls, settings: EngineSettings, parts: Mapping[str, bytes]) -> Engine:
        """An engine that goes on from snapshots, by device.

        Read on from the smallest offset of the parts: each device skips what it knows already.

        Raises:
            UsageError: a part is no snapshot of this format.
        """
        engine = cls(settings)
        for name in sorted(parts):
            engine.restore_device(name, parts[name])
        return engine

    def restore_device(self, name: str, part: bytes) -> None:
        """Go on from the snapshot of one device, of which nothing is known yet.

        Raises:
            UsageError: the part is no snapshot of this format.
        """
        device, next_offset = snapshot.thaw(part)
        device.next_offset = next_offset
        self._devices[name] = device
        for one in device.subscriptions.values():
            self._context.deadlines.restore(one)
            for listed in one.lists:
                self._context.share(listed)

    # ----------------------------------------------------------------------- time
    def _until(self, now: int) -> None:
        """Everything that was due before ``now``, in its order."""
        deadlines = self._context.deadlines
        heap = deadlines.heap
        while heap and heap[0][0] < now:
            entry = deadlines.pop()
            if not is_true(entry):
                continue
            time, _, _, _, index, what, _, subscription = entry
            if what == CLOSE:
                subscription.due = None
                if stopping.has_passed(subscription, time):
                    word = NotJudgedReason.ENDED
                    endings.end(self._context, subscription, time, "stop-time", word)
                else:
                    closing.close(self._context, subscription, time)
            elif what == LIFE:
                life.look(self._context, subscription, time)
            else:
                period = subscription.periods[index]
                amendments.finalise(self._context, subscription, period, time)

    # ----------------------------------------------------------------------- other inputs
    def _other(self, record: EngineInput) -> None:
        context = self._context
        name = getattr(record, "device", None)
        if name is not None:
            device = self._devices.get(name) or self._device(name)
            if record.offset < device.next_offset:
                return
        if isinstance(record, StateChanged):
            self._state_changed(record)
        elif isinstance(record, Established):
            device = self._devices[record.device]
            one = registry.established(context, device, record)
            updates.release(context, device, one, record.arrival)
        elif isinstance(record, Ended):
            self._ended(record)
        elif isinstance(record, Unreassembled | Rejected):
            counters.without_message(context, self._devices[record.device], record)
            continuity.note_unread(context, self._devices[record.device], record)
        elif isinstance(record, Dropped):
            self._dropped(record)
        elif isinstance(record, Paused):
            self._paused(record)
        elif isinstance(record, StoodStill):
            self._stood_still(record)
        elif isinstance(record, CollectorStopped):
            for one in self._running(record.offset):
                closing.close_all(context, one, record.arrival, NotJudgedReason.ENDED)
        closing.settle(context, record.arrival)

    def _state_changed(self, record: StateChanged) -> None:
        context, device, heard = self._context, self._devices[record.device], record.notification
        key = NO_SUBSCRIPTION if heard.subscription_id is None else heard.subscription_id
        before = device.subscriptions.get(key)
        period = before.period if before is not None else 0
        seen = counters.observe_state_change(context, device, record, key, period)
        found = counters.counted(seen)
        if found in continuity.TELLING:
            continuity.note(context, device, seen, record.notification.generator or "", record)
        if found is Finding.DUPLICATE:
            device.duplicates += 1
            return
        counters.conclude(context, seen, None, record)
        one = registry.state_changed(context, device, record)
        if one is None:
            return
        if one.live:
            updates.release(context, device, one, record.arrival)
        else:
            device.aliases = {key: to for key, to in device.aliases.items() if to != one.id}

    def _ended(self, record: Ended) -> None:
        device = self._devices[record.device]
        for one in sorted(device.subscriptions.values(), key=lambda one: one.id):
            wanted = record.subscription_id
            if wanted == one.id or (wanted is None and one.origin == "dynamic"):
                word = NotJudgedReason.ENDED
                endings.end(self._context, one, record.arrival, record.reason, word)

    def _dropped(self, record: Dropped) -> None:
        context = self._context
        limit = context.settings.limits.windows
        for device in self._concerned(record.offset):
            add_window(device.windows.drops, record.since, record.arrival, limit)
        for one in self._running(record.offset):
            # what was due before the window was not lost in it
            due = [i for i, p in one.periods.items() if not p.closed or p.deadline >= record.since]
            for index in sorted(due):
                row = one.periods[index].row
                if row is not None and row.outcome is not Outcome.COMPLETE:
                    amendments.judge_again(context, one, index, record.arrival)

    def _paused(self, record: Paused) -> None:
        """The time that it tells of is still to come: no deadline of it has passed."""
        context = self._context
        limit = context.settings.limits.windows
        until = unread.end_of_return(record.since, record.until)
        read = end_of_stall(record.since, record.until)  # datagrams need not come back
        for device in self._concerned(record.offset):
            add_window(device.windows.pauses, record.since, until, limit)
            if not record.stamped:
                add_window(device.windows.blind, record.since, read, limit)
        for one in self._running(record.offset):
            closing.wake(context, one, record.arrival)

    def _stood_still(self, record: StoodStill) -> None:
        """Likewise; and no deadline of it passes before what waits is read."""
        end = end_of_stall(record.since, record.until)
        for device in self._concerned(record.offset):
            add_stall(device.windows.stalls, record.since, end)
            if not record.stamped:
                add_stall(device.windows.blind, record.since, end)
        for one in self._running(record.offset):
            if one.due is not None and record.since <= one.due < end:
                closing.schedule(self._context, one, record.arrival)

    def _absent(self, record: CollectorDown) -> None:
        context = self._context
        limit = context.settings.limits.windows
        for device in self._concerned(record.offset):
            until = int(record.arrival)
            if record.clock_moved:
                until += max((one.period for one in device.subscriptions.values()), default=0)
            add_window(device.windows.downs, record.since, until, limit)
        for one in self._running(record.offset):
            closing.skip_absence(context, one, record.arrival)

    def _concerned(self, offset: int) -> list[Device]:
        """The devices for which a record without device is news."""
        known = [self._devices[name] for name in sorted(self._devices)]
        return [device for device in known if offset >= device.next_offset]

    def _live(self, offset: int) -> list[Subscription]:
        return [
            one
            for device in self._concerned(offset)
            for _, one in sorted(device.subscriptions.items())
            if one.live
        ]

    def _running(self, offset: int) -> list[Subscription]:
        return [one for one in self._live(offset) if one.period]

    # ----------------------------------------------------------------------- tables
    def _device(self, name: str) -> Device:
        device = self._devices[name] = Device(name)
        return device
