"""One content notification on its way: subscription, ids, period, conclusions.

Does: any message, step by step (``take``); ``straight`` does the same to the common one, quicker.
Does not: know a rule; each is in its own file.
"""

from __future__ import annotations

from collector.core.context import Context, Seen
from collector.core.expectation import unread
from collector.core.expectation.deadlines import refresh
from collector.core.judging import forgetting
from collector.core.memory.state import NO_SUBSCRIPTION, Device, Originator, Subscription
from collector.core.memory.state_parts import Slot
from collector.core.numbering import gaps
from collector.core.numbering.message_ids import Finding
from collector.core.periods import closing, fold
from collector.core.placing import continuity, counters, held
from collector.core.subscriptions.registry import is_periodic
from collector.model import Update

Placed = tuple[str, int, int | None]
"""Generator, revision (-1 while the subscription is unknown), period index."""


def generator_of(context: Context, update: Update) -> str:
    """Payload id if there, else the header id; the operator's table maps odd ones."""
    name = update.generator
    if name is None:
        name = update.source if update.publisher_id is None else str(update.publisher_id)
    table = context.settings.generators.get(update.device)
    if table:
        name = table.get(name) or table.get(update.source) or name
    return name


def take(context: Context, device: Device, update: Update) -> Placed:
    """Any message."""
    generator = generator_of(context, update)
    key = NO_SUBSCRIPTION if update.subscription_id is None else update.subscription_id
    one = held.find(context, device, update)
    period = 0
    if one is not None:
        period, key = one.period, one.id  # the data may carry another id than the start did
    seen = counters.observe(context, device, update, generator, key, update.event_time, period)
    revision = -1 if one is None else one.revision
    index: int | None = None
    found = counters.counted(seen)
    if found in continuity.TELLING:
        continuity.note(context, device, seen, generator, update)
    if found is Finding.DUPLICATE:
        device.duplicates += 1
    elif one is None:
        one = held.hold(context, device, generator, update)
        if one is not None:
            revision, index = one.revision, release(context, device, one, update.arrival)
        counters.conclude(context, seen, None, update)
    elif not one.period:
        if seen and not is_periodic(one.terms):
            seen[0][0].counter.add_irregular(one)
        counters.conclude(context, seen, None, update)
    else:
        held.heard(device, update)
        index = _place(context, device, one, generator, update, seen, update.arrival)
    closing.settle(context, update.arrival)
    return generator, revision, index


def release(context: Context, device: Device, one: Subscription, arrival: int) -> int | None:
    """Place what was held for a subscription; returns the period of the newest message."""
    index: int | None = None
    for update in held.release(device, one, arrival):
        index = _place(context, device, one, generator_of(context, update), update, [], arrival)
    return index


def _place(
    context: Context,
    device: Device,
    one: Subscription,
    generator: str,
    update: Update,
    seen: list[Seen],
    now: int,
) -> int | None:
    """Put a record of a known subscription into its period, and draw the conclusions.

    Args:
        now: its arrival, or the later time at which it was no longer held.
    """
    closing.wake(context, one, now)
    originator = one.originators.get(generator) or _join(context, device, one, generator, now)
    if originator is None:
        counters.conclude(context, seen, None, update)
        return None
    if seen:
        _speaks_in(originator, seen, update)
    odd = counters.was_overtaken(seen, update.arrival, one.period)
    unheard = originator.first_index is None
    last_index = None if unheard else originator.last_index
    slot = fold.place(
        context, originator, update.arrival, held.time_of(update),
        was_overtaken=odd, incomplete=update.incomplete_update,
    )  # fmt: skip
    if unheard:
        refresh(one)
        closing.schedule(context, one, now)
    counters.conclude(context, seen, (originator, slot.index), update)
    _look(context, originator, slot, last_index, now)
    return slot.index


def _speaks_in(originator: Originator, seen: list[Seen], update: Update) -> None:
    counter = seen[0][0].counter
    if originator.counter is not counter:
        originator.counter = counter
        counter.add(originator)
    if update.generator is None:
        counter.by_header = originator


def _join(
    context: Context, device: Device, one: Subscription, name: str, now: int
) -> Originator | None:
    """A new originator; None at the limit, where none is long gone."""
    if len(one.originators) >= context.settings.limits.originators_per_subscription:
        device.count_refused("originators")
        if not forgetting.make_room(device, one, now):
            return None
    originator = one.originators[name] = Originator(name, one)
    originator.member = bool(one.lists) and name in one.lists[-1].allowed
    return originator


def _look(
    context: Context, originator: Originator, slot: Slot, last_index: int | None, now: int
) -> None:
    """Is a period complete with this record, or judged already?"""
    one, index = originator.subscription, slot.index
    period = one.periods.get(index)
    if index in originator.holes and (
        period is None or period.row is not None or gaps.owes_no_more(originator, slot)
    ):
        for other, at in gaps.affected_by_records(originator, index):
            context.mark(other, at)  # others may be blamed more now
    if period is not None:
        if period.closed:
            slot.late = slot.late or not unread.kept_waiting(one, originator, period)
            context.mark(one, index)
        elif period.row is not None:
            period.touched = True
        elif period.short < 0:
            closing.complete_at_once(context, one, index, now)
        elif slot.count == originator.usual and originator.member:
            period.short -= 1
            if period.short == 0:
                closing.complete_at_once(context, one, index, now)
    if originator.usual is None and (last_index is None or index > last_index):
        closing.complete_earlier(context, one, index, now)
