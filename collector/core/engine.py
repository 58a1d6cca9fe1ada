"""The one door of the completeness engine: records and time in, facts out.

Does: route each input to its rule, in order of arrival, deadlines in between at their place.
Does not: know a rule; each paragraph of architecture, section 3, has a file of its own beside this.
Rules: what is said depends on the inputs and their arrival times alone, never on how they were cut
into batches or how often a timer ran. A deadline passes once something arrived, or time was asked,
*after* it. One device's inputs never touch another's state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from collector.core import (
    amendments,
    closing,
    fold,
    gaps,
    held,
    message_ids,
    snapshot,
    subscriptions,
    views,
)
from collector.core.clocks import add_window
from collector.core.context import Context
from collector.core.deadlines import CLOSE, refresh
from collector.core.judge import is_past
from collector.core.message_ids import Finding, Signature
from collector.core.settings import EngineSettings
from collector.core.state import (
    NO_SUBSCRIPTION,
    Counter,
    Device,
    Hole,
    Originator,
    Restart,
    Run,
    Slot,
    Subscription,
)
from collector.core.views import OriginatorState
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
    Placements,
    Rejected,
    StateChanged,
    Unreassembled,
    Update,
)

Seen = tuple[Run, Finding, Hole | None]


class Engine:
    """Says for every period of every subscription whether each originator delivered."""

    def __init__(self, settings: EngineSettings) -> None:
        self._context = Context(settings)
        self._devices: dict[str, Device] = {}
        self._next_offset = 0

    # ----------------------------------------------------------------------- the three verbs
    def receive_batch(self, updates: Sequence[Update]) -> tuple[Placements, list[Fact]]:
        """Take updates in the order of their arrival."""
        generators: list[str] = []
        revisions: list[int] = []
        indexes: list[int | None] = []
        for update in updates:
            self._until(update.arrival)
            generator, revision, index = self._update(update)
            generators.append(generator)
            revisions.append(revision)
            indexes.append(index)
        if updates:
            self._next_offset = updates[-1].offset + 1
        return Placements(generators, revisions, indexes), self._context.take()

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
        for one in self._running(self._next_offset):
            subscriptions.configured(self._context, one, now)
        self._settle(now)
        return self._context.take()

    def devices(self) -> list[str]:
        """Names of the devices that something is known of, sorted."""
        return sorted(self._devices)

    def states(self, device: str | None = None) -> list[OriginatorState]:
        """What is known of each originator right now, for people."""
        names = self.devices() if device is None else [device]
        found = (self._devices[name] for name in names if name in self._devices)
        return [state for one in found for state in views.originators(one)]

    def fell_off(self) -> dict[str, dict[str, int]]:
        """device -> limit -> how often it refused or dropped something."""
        return {name: dict(one.fell_off) for name, one in self._devices.items() if one.fell_off}

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
            device, next_offset = snapshot.thaw(parts[name])
            device.next_offset = next_offset
            engine._devices[name] = device
            for one in device.subscriptions.values():
                engine._context.deadlines.restore(one)
        return engine

    # ----------------------------------------------------------------------- time
    def _until(self, now: int) -> None:
        """Everything that was due before ``now``, in its order."""
        deadlines = self._context.deadlines
        while True:
            first = deadlines.next()
            if first is None or first >= now:
                return
            time, _, _, _, index, what, _, subscription = deadlines.pop()
            if what == CLOSE:
                if subscription.live and subscription.due == time:
                    subscription.due = None
                    closing.close(self._context, subscription, time)
            else:
                period = subscription.periods.get(index)
                if period is not None and period.final_due == time:
                    amendments.finalise(self._context, subscription, period, time)

    # ----------------------------------------------------------------------- an update
    def _update(self, update: Update) -> tuple[str, int, int | None]:
        device = self._devices.get(update.device) or self._device(update.device)
        generator = self._generator(update)
        if update.offset < device.next_offset:
            return generator, -1, None
        key = NO_SUBSCRIPTION if update.subscription_id is None else update.subscription_id
        one = device.subscriptions.get(key)
        if one is None or not one.live or key in device.aliases:
            one = held.find(self._context, device, update)
        period = one.period if one is not None else 0
        seen = self._observe(device, update, generator, key, update.event_time, period)
        counted = self._counted(seen)
        if counted is not None and counted[1] is Finding.DUPLICATE:
            self._settle(update.arrival)
            return generator, -1 if one is None else one.revision, None
        if one is None:
            one = held.hold(self._context, device, generator, update)
            if one is None:
                self._after(None, None, seen, update)
                return generator, -1, None
            index = self._release(device, one, update.arrival)
            self._after(None, None, seen, update)
            return generator, one.revision, index
        if device.ports:
            held.heard(device, update)
        if not one.period:
            self._after(None, None, seen, update)
            return generator, one.revision, None
        index = self._place(device, one, generator, update, seen)
        return generator, one.revision, index

    def _place(
        self, device: Device, one: Subscription, generator: str, update: Update, seen: list[Seen]
    ) -> int | None:
        """Put a record of a known subscription into its period, and draw the conclusions."""
        context = self._context
        if one.range_from is not None:
            closing.wake(context, one, update.arrival)
        originator = one.originators.get(generator) or self._originator(one, generator)
        if originator is None:
            self._after(None, None, seen, update)
            return None
        counter = seen[0][0].counter if seen else None
        if counter is not None and originator.counter is not counter:
            originator.counter = counter
        if counter is not None and counter.originators.get((one.id, generator)) is not originator:
            counter.originators[one.id, generator] = originator
        counted = self._counted(seen)
        odd = counted is not None and counted[1] in (Finding.FILLS, Finding.OVERTAKEN)
        begun = one.first_index is not None
        last_index = originator.last_index if originator.first_index is not None else None
        slot = fold.place(
            context, originator, update.arrival, held.time_of(update),
            was_overtaken=odd, incomplete=update.incomplete_update,
        )  # fmt: skip
        if not begun or originator.first_index == slot.index:
            refresh(one)
            closing.schedule(context, one)
        self._after(originator, slot, seen, update)
        self._look(one, originator, slot, last_index, update.arrival)
        return slot.index

    def _look(
        self,
        one: Subscription,
        originator: Originator,
        slot: Slot,
        last_index: int | None,
        arrival: int,
    ) -> None:
        """Is a period complete with this record, or judged already?"""
        context, index = self._context, slot.index
        period = one.periods.get(index)
        if period is not None:
            if period.closed:
                slot.late = True
                context.mark(one, index)
            elif period.row is not None:
                period.touched = True
            elif period.short < 0:
                closing.complete_at_once(context, one, index, arrival)
            elif slot.count == originator.usual and originator.member:
                period.short -= 1
                if period.short == 0:
                    closing.complete_at_once(context, one, index, arrival)
        if originator.usual is None and (last_index is None or index > last_index):
            closing.complete_earlier(context, one, index, arrival)
        self._settle(arrival)

    def _release(self, device: Device, one: Subscription, arrival: int) -> int | None:
        index: int | None = None
        for update in held.release(device, one, arrival):
            index = self._place(device, one, self._generator(update), update, [])
        return index

    # ----------------------------------------------------------------------- ids
    def _observe(
        self,
        device: Device,
        record: Update | StateChanged,
        generator: str,
        key: int,
        event_time: int | None,
        period: int,
    ) -> list[Seen]:
        """Follow the id in both books; the second one only where there are two keys."""
        if record.message_id is None:
            return []
        counter = self._counter(device, record.source, record.publisher_id, generator)
        if counter is None:
            return []
        kind = record.kind if isinstance(record, Update) else record.notification.kind
        signature: Signature = (
            record.message_id, event_time, key, generator, kind, record.arrival,
        )  # fmt: skip
        limits = self._context.settings.limits
        each = message_ids.run_for_key(counter, key, limits.keys_per_counter)
        found, hole = message_ids.observe(counter.all, signature, period, limits.open_holes)
        seen: list[Seen] = [(counter.all, found, hole)]
        if each is not None:
            found, hole = message_ids.observe(each, signature, period, limits.open_holes)
            seen.append((each, found, hole))
            if message_ids.decide(counter):
                self._switched(counter)
        return seen

    def _counted(self, seen: list[Seen]) -> Seen | None:
        """What the book that counts says."""
        for one in seen:
            if one[0].in_force:
                return one
        return None

    def _after(
        self,
        originator: Originator | None,
        slot: Slot | None,
        seen: list[Seen],
        record: Update | StateChanged,
    ) -> None:
        """Holes, restarts and periods that wait for a counter to speak."""
        here = (originator, slot.index) if originator is not None and slot is not None else None
        for run, found, hole in seen:
            if found is Finding.NEXT and not run.waiting and not run.unmet:
                pass
            else:
                self._conclude(run, found, hole, here, record)
            if here is not None and found not in (Finding.FILLS, Finding.OVERTAKEN):
                run.last_originator, run.last_index = here
        if here is None:
            self._settle(record.arrival)

    def _conclude(
        self,
        run: Run,
        found: Finding,
        hole: Hole | None,
        here: gaps.Suspect | None,
        record: Update | StateChanged,
    ) -> None:
        context = self._context
        if found is Finding.GAP and hole is not None:
            self._blame(record.device, run, hole, here)
        elif found is Finding.FILLS and hole is not None:
            for originator, _ in hole.suspects:
                originator.recount = True
            self._mark(hole.suspects)
        elif found is Finding.RESTART:
            self._restarted(record, run, here)
        if run.unmet and here is not None:
            for waiting in run.unmet:
                gaps.blame(waiting, [here] if gaps.is_suspect_index(*here) else [])
                self._mark(waiting.suspects)
            run.unmet.clear()
        if run.waiting:
            before, run.waiting = run.waiting, []
            for originator, index in before:
                if is_past(originator, index):
                    context.mark(originator.subscription, index)

    def _blame(
        self, device: str, run: Run, hole: Hole, here: gaps.Suspect | None, *, wait: bool = False
    ) -> None:
        """Fix the suspects of a hole: by arcs, else its two neighbours."""
        limit = self._context.settings.limits.suspects
        suspects = gaps.suspects_between(run, hole.before_arrival, hole.after_arrival, limit)
        if not suspects:
            suspects = self._neighbours(run, here)
            if wait:
                run.unmet.append(hole)
                del run.unmet[: -self._context.settings.limits.open_holes]
        gaps.blame(hole, suspects)
        if not hole.suspects and not wait and run.in_force:
            closing.say_unattributed(self._context, device, hole, hole.opened)
        self._mark(hole.suspects)

    def _neighbours(self, run: Run, here: gaps.Suspect | None) -> list[gaps.Suspect]:
        near: list[gaps.Suspect] = []
        if run.last_originator is not None:
            near.append((run.last_originator, run.last_index))
        if here is not None:
            near.append(here)
        return [one for one in near if gaps.is_suspect_index(*one)]

    def _restarted(
        self, record: Update | StateChanged, run: Run, here: gaps.Suspect | None
    ) -> None:
        """Ids began anew: who misses the period it falls in may have been restarted."""
        counter = run.counter
        restart = Restart(run)
        start = record.arrival if run.before_restart is None else run.before_restart
        limit = self._context.settings.limits.suspects
        suspects = gaps.suspects_between(run, start, record.arrival, limit)
        gaps.accuse(restart, suspects or self._neighbours(run, here))
        if run.in_force:
            self._context.event(
                record.arrival, record.device, f"{counter.source} {counter.header_id}", "restart",
                f"Message IDs began anew at {record.message_id}.",
            )  # fmt: skip
        self._mark(restart.suspects)

    def _switched(self, counter: Counter) -> None:
        """The other book counts now: what the first one touched is judged again."""
        for originator in counter.originators.values():
            originator.recount = True
            for index in {*originator.holes, *originator.restarts}:
                self._context.mark(originator.subscription, index)

    def _mark(self, suspects: Iterable[gaps.Suspect]) -> None:
        for subscription, index in gaps.affected(suspects):
            self._context.mark(subscription, index)

    def _settle(self, arrival: int) -> None:
        """Judge again what this input may have changed: one row a period at most, in order."""
        dirty = self._context.dirty
        if not dirty:
            return
        self._context.dirty = {}
        for key in sorted(dirty):
            subscription, index = dirty[key], key[1]
            if not subscription.live:
                continue
            amendments.judge_again(self._context, subscription, index, arrival)
            closing.complete_at_once(self._context, subscription, index, arrival)

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
            one = subscriptions.established(context, device, record)
            self._release(device, one, record.arrival)
        elif isinstance(record, Ended):
            self._ended(record)
        elif isinstance(record, Unreassembled | Rejected):
            self._without_message(record)
        elif isinstance(record, Dropped):
            self._dropped(record)
        elif isinstance(record, CollectorStopped):
            for one in self._running(record.offset):
                closing.close_all(context, one, record.arrival, NotJudgedReason.ENDED)
        self._settle(record.arrival)

    def _state_changed(self, record: StateChanged) -> None:
        device = self._devices[record.device]
        heard = record.notification
        key = NO_SUBSCRIPTION if heard.subscription_id is None else heard.subscription_id
        one = device.subscriptions.get(key)
        period = one.period if one is not None else 0
        header = "" if record.publisher_id is None else str(record.publisher_id)
        seen = self._observe(device, record, header, key, heard.event_time, period)
        counted = self._counted(seen)
        if counted is not None and counted[1] is Finding.DUPLICATE:
            return
        self._after(None, None, seen, record)
        one = subscriptions.state_changed(self._context, device, record)
        if one is not None and one.live:
            self._release(device, one, record.arrival)
        elif one is not None:
            device.aliases = {key: to for key, to in device.aliases.items() if to != one.id}

    def _ended(self, record: Ended) -> None:
        device = self._devices[record.device]
        for one in sorted(device.subscriptions.values(), key=lambda one: one.id):
            wanted = record.subscription_id
            if wanted == one.id or (wanted is None and one.origin == "dynamic"):
                word = NotJudgedReason.ENDED
                subscriptions.end(self._context, one, record.arrival, record.reason, word)

    def _without_message(self, record: Unreassembled | Rejected) -> None:
        """A message that is half built or was refused: its id is a hole of its own."""
        device = self._devices[record.device]
        if record.message_id is None or record.publisher_id is None:
            return
        counter = self._counter(device, record.source, record.publisher_id, "")
        assert counter is not None
        half_built = isinstance(record, Unreassembled)
        at = record.first_arrival if isinstance(record, Unreassembled) else record.arrival
        cause = "unreassembled" if half_built else "rejected"
        limit = self._context.settings.limits.open_holes
        for run in message_ids.runs_for_lone_id(counter, record.message_id, at):
            opened = message_ids.arrive_without_message(run, record.message_id, at, cause, limit)
            for hole in opened:
                lone = hole.cause == cause
                self._blame(record.device, run, hole, None, wait=lone)

    def _dropped(self, record: Dropped) -> None:
        context = self._context
        limit = context.settings.limits.windows
        for device in self._concerned(record.offset):
            add_window(device.windows.drops, record.since, record.arrival, limit)
        for one in self._running(record.offset):
            for index in sorted(one.periods):
                row = one.periods[index].row
                if row is not None and row.outcome is not Outcome.COMPLETE:
                    amendments.judge_again(context, one, index, record.arrival)

    def _absent(self, record: CollectorDown) -> None:
        context = self._context
        limit = context.settings.limits.windows
        for device in self._concerned(record.offset):
            add_window(device.windows.downs, record.since, record.arrival, limit)
        for one in self._running(record.offset):
            closing.skip_absence(context, one, record.arrival)

    def _concerned(self, offset: int) -> list[Device]:
        """The devices for which a record without device is news."""
        known = [self._devices[name] for name in sorted(self._devices)]
        return [device for device in known if offset >= device.next_offset]

    def _running(self, offset: int) -> list[Subscription]:
        return [
            one
            for device in self._concerned(offset)
            for _, one in sorted(device.subscriptions.items())
            if one.live and one.period
        ]

    # ----------------------------------------------------------------------- tables
    def _device(self, name: str) -> Device:
        device = self._devices[name] = Device(name)
        return device

    def _counter(
        self, device: Device, source: str, publisher_id: int | None, generator: str
    ) -> Counter | None:
        header = generator if publisher_id is None else publisher_id
        counter = device.counters.get((source, header))
        if counter is None:
            if len(device.counters) >= self._context.settings.limits.counters_per_device:
                device.fell_off["counters"] = device.fell_off.get("counters", 0) + 1
                return None
            counter = device.counters[source, header] = Counter(source, header)
        return counter

    def _originator(self, one: Subscription, name: str) -> Originator | None:
        limit = self._context.settings.limits.originators_per_subscription
        if len(one.originators) >= limit:
            return None
        originator = one.originators[name] = Originator(name, one)
        newest = one.lists[-1] if one.lists else None
        originator.member = newest is not None and name in newest.allowed
        return originator

    def _generator(self, update: Update) -> str:
        """Payload id if there, else the header id; the operator's table maps odd ones."""
        name = update.generator
        if name is None:
            name = update.source if update.publisher_id is None else str(update.publisher_id)
        table = self._context.settings.generators.get(update.device)
        if table:
            name = table.get(name) or table.get(update.source) or name
        return name
