"""The part of the rules that every message takes: which period it belongs to, what is kept of it.

Does: place a record, keep the fold (``state.Slot``), and move what is learned when told to.
Does not: look at ids, say verdicts; learning moves only when a deadline passes (``move_on``).
Rules: docs/verdicts.md, "Arcs", "Record time" and "Clocks".
"""

from __future__ import annotations

from collector.core.context import Context
from collector.core.expectation import expected, unread
from collector.core.expectation.deadlines import deadline_of, refresh
from collector.core.memory import arcs
from collector.core.memory.clocks import (
    EARLY_PERIODS,
    Placing,
    first_shift,
    is_remembered,
    lag,
    median,
    placing,
)
from collector.core.memory.state import Originator, Subscription
from collector.core.memory.state_parts import Period, Remembered, Slot
from collector.core.numbering import gaps
from collector.core.periods import usual
from collector.model import CollectorTime, DeviceTime

NEVER = -(1 << 62)
"""An end of arcs before all others."""


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
    if not originator.heard:
        _begin(context, originator, arrival, time)
    period = subscription.period
    index = (time - originator.base) // period
    tells = True
    if index != (arrival - originator.arrival_base) // period or originator.remembered is not None:
        index, tells = _odd(context, originator, arrival, time, was_overtaken)
    slot = gaps.slot_of(originator, index)
    if slot is None:
        if originator.slips and index > originator.last_index:
            index = _slip(context, originator, index, arrival)
            slot = gaps.slot_of(originator, index)
        slot = slot or new_slot(originator, index, arrival)
    slot.count += 1
    slot.last_arrival = arrival
    if incomplete:
        slot.incomplete = True
        if index in subscription.periods:
            subscription.periods[index].plain = False
    if tells:
        tell(originator, index, arrival, time)
    return slot


def tell(originator: Originator, index: int, arrival: int, time: int) -> None:
    """Keep what the record says of arcs and lag, until learning moves."""
    begun = index * originator.subscription.period
    originator.last_time = time - originator.shift
    originator.last_arrival = arrival
    time -= originator.base + begun
    arrival -= originator.arrival_base + begun
    if not originator.fresh:
        originator.fresh = True
        originator.seen_times_from = originator.seen_times_to = time
        originator.seen_arrivals_from = originator.seen_arrivals_to = arrival
        return
    if time < originator.seen_times_from:
        originator.seen_times_from = time
    elif time > originator.seen_times_to:
        originator.seen_times_to = time
    if arrival > originator.seen_arrivals_to:
        originator.seen_arrivals_to = arrival
    elif arrival < originator.seen_arrivals_from:
        originator.seen_arrivals_from = arrival


def new_slot(originator: Originator, index: int, arrival: int) -> Slot:
    """The originator's first record of a period; opens the period if it is the first of all.

    A slot of a period that is kept no longer, or lies before the first, belongs to nothing.
    """
    subscription = originator.subscription
    slot = Slot(index, arrival, arrival)
    if subscription.first_index is None:
        _begin_subscription(subscription, index, arrival)
    if originator.first_index is None:
        first = subscription.first_index  # one object where they are equal
        originator.first_index = first if first == index else index
        originator.first_arrival = arrival
        originator.last_index = index
    if index > originator.last_index:
        originator.last_index = index
    period = subscription.periods.get(index)
    if period is None:
        if index < subscription.next_index:
            return slot
        period = open_period(subscription, index)
    period.slots[originator.name] = slot
    if not originator.member:
        period.plain = False
    if period.closed:
        usual.remember(originator, slot)
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
    seen = lag(CollectorTime(arrival), DeviceTime(time))
    originator.shift = first_shift(seen, _lag_of_siblings(originator), subscription.period)
    corrected = DeviceTime(time - originator.shift)
    originator.lag = lag(CollectorTime(arrival), corrected)
    originator.last_time, originator.last_arrival = corrected, arrival
    if subscription.offset is None:
        subscription.offset = corrected % subscription.period
    index = arcs.nearest(subscription.offset, subscription.period, corrected)
    tick = DeviceTime(arcs.nominal(subscription.offset, subscription.period, index))
    originator.times_from = originator.times_to = corrected - tick
    originator.arrivals_from = originator.arrivals_to = lag(CollectorTime(arrival), tick)
    originator.heard = True
    set_bases(originator)
    _say_skew(context, originator, arrival, seen)


def _lag_of_siblings(originator: Originator) -> int | None:
    others = originator.subscription.originators.values()
    return median(one.lag for one in others if one.heard and one is not originator)


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
    start = subscription.offset - subscription.period // 2
    middle = (originator.times_from + originator.times_to) // 2
    originator.base = start + originator.shift + middle
    originator.arrival_base = start + (originator.arrivals_from + originator.arrivals_to) // 2
    originator.slips = arcs.slip(middle, subscription.period)


# --------------------------------------------------------------------------- odd times
def _odd(
    context: Context, originator: Originator, arrival: int, time: int, was_overtaken: bool
) -> tuple[int, bool]:
    """Index of a record whose two indexes differ, or that follows such a one.

    Returns:
        The index, and whether the record tells of arcs and lag.
    """
    if originator.shift and (burst := _held_up_slot(originator, arrival, time)) is not None:
        return _begin_anew(context, originator, arrival, time, burst), True
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
    old = gaps.slot_of(originator, by_time)
    word = placing(
        by_time,
        by_arrival,
        lag_now=seen,
        lag_usual=originator.lag,
        period=period,
        first_index=by_time if first is None else first,
        was_overtaken=was_overtaken or unread.has_waited(originator, arrival, seen),
        has_old_record=old is not None and old.first_arrival < arrival - period // 2,
        next_index=_early_next(originator),
    )
    if word is Placing.BY_TIME:
        return by_time, True
    if word is Placing.NO_LONGER_HELD_UP:
        _reach_out(originator, arrival, by_time, seen)
        return by_time, True
    if word is Placing.ABSURD:
        _say_absurd(context, originator, arrival)
    held_up = word is Placing.HELD_UP
    index = by_time if held_up else by_arrival
    alone = before is None or not before.held_up or before.index != index
    originator.remembered = Remembered(seen, index, by_arrival, held_up, alone)
    return index, False


def _held_up_slot(originator: Originator, arrival: int, time: int) -> Slot | None:
    """That of its first burst, which seemed to be of a clock that is off, and now it lags like its
    siblings; None where that is not so."""
    usual_lag = _lag_of_siblings(originator)
    if usual_lag is None or originator.last_index != originator.first_index:
        return None
    seen = lag(CollectorTime(arrival), DeviceTime(time))
    near = abs(seen - usual_lag) <= originator.subscription.period // 4
    return gaps.slot_of(originator, originator.last_index) if near else None


def _begin_anew(
    context: Context, originator: Originator, arrival: int, time: int, held_up: Slot
) -> int:
    """What came first is not counted: its period is over, or before all others."""
    subscription = originator.subscription
    held_up.count = 0
    subscription.periods[held_up.index].plain = False
    context.mark(subscription, held_up.index)
    originator.fresh = False
    originator.remembered = None
    _begin(context, originator, arrival, time)
    return (time - originator.base) // subscription.period


def _early_next(originator: Originator) -> int | None:
    """The index behind its newest, in its first periods."""
    first, last = originator.first_index, originator.last_index
    return last + 1 if first is not None and last < first + EARLY_PERIODS else None


def _reach_out(originator: Originator, arrival: int, index: int, seen: int) -> None:
    """Its first records had been held up: its lag is that of now, its arrivals begin earlier."""
    subscription, before = originator.subscription, originator.arrival_base
    tick = arcs.nominal(subscription.offset or 0, subscription.period, index)
    originator.lag = seen
    originator.arrivals_from = min(originator.arrivals_from, arrival - tick)
    set_bases(originator)
    by = originator.arrival_base - before
    originator.seen_arrivals_from -= by
    originator.seen_arrivals_to -= by


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
    subscription, name = originator.subscription, originator.name
    source = gaps.slot_of(originator, before.index)
    if source is None or source.count == 0:
        return
    source.count -= 1
    gaps.look_again(originator, before.index)
    arrival = source.last_arrival
    target = gaps.slot_of(originator, before.arrival_index)
    if target is None:
        target = new_slot(originator, before.arrival_index, arrival)
    target.count += 1
    if source.count == 0:
        del subscription.periods[before.index].slots[name]
    context.mark(subscription, before.index)
    context.mark(subscription, before.arrival_index)


def _say_absurd(context: Context, originator: Originator, arrival: int) -> None:
    originator.absurd_times += 1
    count = originator.absurd_times
    if count & (count - 1):
        return  # said at 1, 2, 4, 8, ...: a device that sends nothing else must not flood us
    context.event(
        arrival, originator.subscription.device, originator.name, "absurd_time",
        f"{count} record times of {originator.name} so far were beyond reason.",
    )  # fmt: skip


def _slip(context: Context, originator: Originator, index: int, arrival: int) -> int:
    """The arcs drifted by more than 5/8 of a period: they belong one period on or back."""
    subscription = originator.subscription
    way = originator.slips
    by = way * originator.subscription.period
    originator.times_from -= by
    originator.times_to -= by
    originator.arrivals_from -= by
    originator.arrivals_to -= by
    set_bases(originator)
    if way > 0:
        originator.slipped |= {index}
        subscription.marks += 1
    refresh(subscription)
    # the open period waits for the arc where it is now
    due = deadline_of(subscription, subscription.next_index)
    context.deadlines.close_at(subscription, max(due, arrival))
    return index + way


# --------------------------------------------------------------------------- learning
def move_on(subscription: Subscription) -> int:
    """A deadline passed: arcs and lags move to what was seen since the last time.

    Only where something fresh was seen. Outward at once, inward by 1/8 of the difference. Written
    out (``set_bases`` and ``lag`` included), since it runs for each originator and period.

    Returns:
        The latest end of the arrival arcs of those who are required; ``NEVER`` without any.
    """
    period, latest = subscription.period, NEVER
    offset, half = subscription.offset or 0, period // 2
    low, start_of_all = -half, offset - half
    for originator in subscription.originators.values():
        if originator.fresh:
            originator.fresh = False
            shift = originator.shift
            start, end = originator.times_from, originator.times_to
            by = originator.base - offset - shift  # from where it was seen to nominal
            seen = originator.seen_times_from + by
            start = seen if seen < start else start + ((seen - start) >> 3)
            seen = originator.seen_times_to + by
            end = seen if seen > end else end - ((end - seen) >> 3)
            originator.times_from, originator.times_to = start, end
            middle = (start + end) >> 1
            originator.base = start_of_all + shift + middle
            originator.slips = 0 if low <= middle <= half else arcs.slip(middle, period)
            start, end = originator.arrivals_from, originator.arrivals_to
            by = originator.arrival_base - offset
            seen = originator.seen_arrivals_from + by
            start = seen if seen < start else start + ((seen - start) >> 3)
            seen = originator.seen_arrivals_to + by
            end = seen if seen > end else end - ((end - seen) >> 3)
            originator.arrivals_from, originator.arrivals_to = start, end
            originator.arrival_base = start_of_all + ((start + end) >> 1)
            lag_now = originator.last_arrival - originator.last_time
            originator.lag += (lag_now - originator.lag) >> 3
        if originator.member and originator.arrivals_to > latest:
            latest = originator.arrivals_to
    return latest
