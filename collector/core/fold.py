"""The part of the rules that every message takes: which period it belongs to, what is kept of it.

Does: place a record, keep the fold (``state.Slot``), and move what is learned when told to.
Does not: look at ids, say verdicts; learning moves only when a deadline passes (``moved_on``).
Rules: architecture, section 3, "Arcs", "Record time" and "Clocks".
"""

from __future__ import annotations

from collector.core import arcs, expected
from collector.core.arcs import Arc
from collector.core.clocks import (
    Placing,
    first_shift,
    is_remembered,
    lag,
    median,
    placing,
)
from collector.core.context import Context
from collector.core.state import Originator, Period, Remembered, Slot, Subscription
from collector.model import CollectorTime, DeviceTime


def place(
    context: Context,
    originator: Originator,
    arrival: int,
    time: int,
    *,
    was_overtaken: bool,
    incomplete: bool,
) -> Slot:
    """Put a record into its period; returns the originator's slot there.

    Args:
        arrival: CollectorTime.
        time: record time by the publisher's clock, as received.
        was_overtaken: its id filled a hole or came behind newer ones.
        incomplete: it carried ``incomplete-update``.
    """
    subscription = originator.subscription
    if originator.arrival_arc is None:
        _begin(context, originator, arrival, time)
    period = subscription.period
    index = (time - originator.base) // period
    tells = True
    if index != (arrival - originator.arrival_base) // period or originator.remembered is not None:
        index, tells = _odd(context, originator, arrival, time, was_overtaken)
    slot = originator.slots.get(index)
    if slot is None:
        if originator.slips and index > originator.last_index:
            index = _slip(originator, index)
        slot = originator.slots.get(index) or _new_slot(originator, index, arrival)
    slot.count += 1
    slot.last_arrival = arrival
    if incomplete:
        slot.incomplete = True
    if tells:
        _tell(originator, slot, arrival, time - originator.shift)
    return slot


def _tell(originator: Originator, slot: Slot, arrival: int, time: int) -> None:
    """Keep what the record says of arcs and lag, until learning moves."""
    originator.last_time = time
    originator.last_arrival = arrival
    if slot.fresh:
        if time < slot.times_start:
            slot.times_start = time
        elif time > slot.times_end:
            slot.times_end = time
        slot.arrivals_end = arrival
        return
    slot.fresh = True
    slot.times_start = slot.times_end = time
    slot.arrivals_start = slot.arrivals_end = arrival
    originator.fresh.append(slot)


def _new_slot(originator: Originator, index: int, arrival: int) -> Slot:
    """The originator's first record of a period; opens the period if it is the first of all."""
    subscription = originator.subscription
    slot = Slot(index, arrival)
    if subscription.first_index is None:
        _begin_subscription(subscription, index, arrival)
    if originator.first_index is None:
        originator.first_index = index
        originator.first_arrival = arrival
        originator.last_index = index
    if index > originator.last_index:
        originator.last_index = index
    if index >= subscription.next_index:
        originator.slots[index] = slot
        if index not in subscription.periods:
            open_period(subscription, index)
    elif index in subscription.periods:
        originator.slots[index] = slot
    return slot


def open_period(subscription: Subscription, index: int) -> Period:
    """Begin to keep a period."""
    period = subscription.periods[index] = Period(index)
    if subscription.regular and expected.is_settled(subscription, index):
        period.short = subscription.required_count
    return period


def _begin_subscription(subscription: Subscription, index: int, arrival: int) -> None:
    subscription.first_index = subscription.next_index = index
    if subscription.reply is not None:
        since = arcs.rounded(arrival - subscription.reply, subscription.period)
        subscription.reply_index = index - since


# --------------------------------------------------------------------------- first record
def _begin(context: Context, originator: Originator, arrival: int, time: int) -> None:
    """The first record of an originator sets its clock shift and both arcs."""
    subscription = originator.subscription
    siblings = [one.lag for one in subscription.originators.values() if one.arrival_arc is not None]
    seen = lag(CollectorTime(arrival), DeviceTime(time))
    originator.shift = first_shift(seen, median(siblings), subscription.period)
    corrected = DeviceTime(time - originator.shift)
    originator.lag = lag(CollectorTime(arrival), corrected)
    originator.last_time, originator.last_arrival = corrected, arrival
    if subscription.offset is None:
        subscription.offset = corrected % subscription.period
    index = arcs.nearest(subscription.offset, subscription.period, corrected)
    tick = DeviceTime(arcs.nominal(subscription.offset, subscription.period, index))
    originator.time_arc = Arc(corrected - tick, corrected - tick)
    here = lag(CollectorTime(arrival), tick)
    originator.arrival_arc = Arc(here, here)
    set_bases(originator)
    _say_skew(context, originator, arrival, seen)


def _say_skew(context: Context, originator: Originator, arrival: int, seen: int) -> None:
    subscription = originator.subscription
    if originator.shift:
        kind, verb = "clock_offset", "is taken to be off"
    elif abs(seen) >= subscription.period // 2:
        kind, verb = "clock_skew", "may be off"
    else:
        return
    seconds = abs(originator.shift or seen) / 1e9
    context.event(
        arrival, subscription.device, originator.name, kind,
        f"The clock of {originator.name} {verb} by {seconds:.3f} s at its first record.",
    )  # fmt: skip


def set_bases(originator: Originator) -> None:
    """Read afresh where index 0 begins by record time and by arrival."""
    subscription = originator.subscription
    assert subscription.offset is not None
    assert originator.arrival_arc is not None
    half = subscription.period // 2
    start = subscription.offset - half
    originator.base = start + originator.shift + originator.time_arc.middle
    originator.arrival_base = start + originator.arrival_arc.middle
    originator.slips = arcs.slip(originator.time_arc.middle, subscription.period)


# --------------------------------------------------------------------------- odd times
def _odd(
    context: Context, originator: Originator, arrival: int, time: int, was_overtaken: bool
) -> tuple[int, bool]:
    """Index of a record whose two indexes differ, or that follows such a one.

    Returns:
        The index, and whether the record tells of arcs and lag.
    """
    period = originator.subscription.period
    by_arrival = (arrival - originator.arrival_base) // period
    by_time = (time - originator.base) // period
    seen = lag(CollectorTime(arrival), DeviceTime(time - originator.shift))
    before, originator.remembered = originator.remembered, None
    if before is not None:
        same_burst = before.held_up and by_time == before.index
        if is_remembered(seen, before.lag, period) and not same_burst:
            return _step(context, originator, arrival, time, seen, before), True
        originator.odd_times += 1
    first = originator.subscription.first_index
    old = originator.slots.get(by_time)
    word = placing(
        by_time,
        by_arrival,
        lag_now=seen,
        lag_usual=originator.lag,
        period=period,
        first_index=by_time if first is None else first,
        was_overtaken=was_overtaken,
        has_old_record=old is not None and old.first_arrival < arrival - period // 2,
    )
    if word is Placing.BY_TIME:
        return by_time, True
    if word is Placing.ABSURD:
        _say_absurd(context, originator, arrival)
    held_up = word is Placing.HELD_UP
    index = by_time if held_up else by_arrival
    alone = before is None or not before.held_up or before.index != index
    originator.remembered = Remembered(seen, index, by_arrival, held_up, alone)
    return index, False


def _step(
    context: Context,
    originator: Originator,
    arrival: int,
    time: int,
    seen: int,
    before: Remembered,
) -> int:
    """The clock moved: two records running show the same new lag."""
    difference = originator.lag - seen
    originator.shift += difference
    set_bases(originator)
    context.event(
        arrival, originator.subscription.device, originator.name, "clock_step",
        f"The clock of {originator.name} moved by {difference / 1e9:+.3f} s.",
    )  # fmt: skip
    if before.held_up and before.alone:
        _move_record(context, originator, before)
    return (time - originator.base) // originator.subscription.period


def _move_record(context: Context, originator: Originator, before: Remembered) -> None:
    """A record taken for held up was in time by the new clock: to the period of its arrival."""
    source = originator.slots.get(before.index)
    if source is None or source.count == 0:
        return
    source.count -= 1
    arrival = source.last_arrival
    target = originator.slots.get(before.arrival_index)
    if target is None:
        target = _new_slot(originator, before.arrival_index, arrival)
    target.count += 1
    if source.count == 0:
        del originator.slots[before.index]
    context.mark(originator.subscription, before.index)
    context.mark(originator.subscription, before.arrival_index)


def _say_absurd(context: Context, originator: Originator, arrival: int) -> None:
    originator.absurd_times += 1
    count = originator.absurd_times
    if count & (count - 1):
        return  # said at 1, 2, 4, 8, ...: a device that sends nothing else must not flood us
    context.event(
        arrival, originator.subscription.device, originator.name, "absurd_time",
        f"{count} record times of {originator.name} so far were beyond reason.",
    )  # fmt: skip


def _slip(originator: Originator, index: int) -> int:
    """The arcs drifted by more than 5/8 of a period: they belong one period on or back."""
    way = originator.slips
    by = way * originator.subscription.period
    assert originator.arrival_arc is not None
    originator.time_arc = Arc(*(one - by for one in originator.time_arc))
    originator.arrival_arc = Arc(*(one - by for one in originator.arrival_arc))
    for slot in originator.fresh:
        slot.times_start -= by
        slot.times_end -= by
        slot.arrivals_start -= by
        slot.arrivals_end -= by
    set_bases(originator)
    if way > 0:
        originator.slipped.add(index)
    return index + way


# --------------------------------------------------------------------------- learning
def moved_on(originator: Originator) -> None:
    """A deadline passed: arcs and lag move to what was seen since the last time."""
    fresh = originator.fresh
    if not fresh:
        return
    subscription = originator.subscription
    assert subscription.offset is not None
    assert originator.arrival_arc is not None
    times_start = arrivals_start = 1 << 62
    times_end = arrivals_end = -(1 << 62)
    for slot in fresh:
        tick = subscription.offset + slot.index * subscription.period
        times_start = min(times_start, slot.times_start - tick)
        times_end = max(times_end, slot.times_end - tick)
        here = DeviceTime(tick)
        arrivals_start = min(arrivals_start, lag(CollectorTime(slot.arrivals_start), here))
        arrivals_end = max(arrivals_end, lag(CollectorTime(slot.arrivals_end), here))
        slot.fresh = False
    fresh.clear()
    originator.time_arc = arcs.moved(originator.time_arc, Arc(times_start, times_end))
    originator.arrival_arc = arcs.moved(originator.arrival_arc, Arc(arrivals_start, arrivals_end))
    last = lag(CollectorTime(originator.last_arrival), DeviceTime(originator.last_time))
    originator.lag += (last - originator.lag) // 8
    set_bases(originator)


USUAL_PERIODS = 3
KEPT_PERIODS = 8


def count_usual(originator: Originator, closed: int) -> bool:
    """Period ``closed`` closed: read the usual count afresh; True when it changed.

    The records of a period, if the last 3 closed periods in which it delivered and that no open
    hole touches agree; else unknown.
    """
    slot = originator.slots.get(closed)
    recent = originator.recent
    if slot is not None:
        recent.append(slot)
        if len(recent) > KEPT_PERIODS:
            del recent[0]
        if slot.count == originator.usual and not originator.recount and not originator.holes:
            return False
    elif not originator.recount:
        return False
    originator.recount = False
    before = originator.usual
    originator.usual = _agreed(originator)
    return originator.usual != before


def _agreed(originator: Originator) -> int | None:
    counts: list[int] = []
    for slot in reversed(originator.recent):
        holes = originator.holes.get(slot.index, ())
        if slot.count == 0 or any(
            hole.run.in_force and len(hole.found) < hole.size for hole in holes
        ):
            continue
        counts.append(slot.count)
        if len(counts) == USUAL_PERIODS:
            break
    if len(counts) < USUAL_PERIODS or len(set(counts)) > 1:
        return None
    return counts[0]
