"""The common message in one straight line: the next id of its counter, in time, an open period.

Does: to such a message exactly what ``updates.take`` does step by step; stops at every other one.
Does not: know a rule; each is in its own file. Runs once a message: locals and plain values only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from collector.core.context import Context
from collector.core.memory.state import Device, Originator, Run, Subscription
from collector.core.memory.state_parts import Period, Slot
from collector.core.numbering.message_ids import MODULUS_MASK
from collector.core.numbering.seen_ids import PATIENCE
from collector.core.numbering.two_books import COST_LIMIT
from collector.core.periods import closing, fold
from collector.core.placing.update_columns import Row, UpdateColumns
from collector.model import CollectorTime, NotificationKind, Placements

PUSH_UPDATE_KIND = NotificationKind.PUSH_UPDATE
LOOK_NOWHERE, LOOK_HERE, LOOK_EARLIER = range(3)
"""Which periods may be complete with a message: none, its own, or earlier ones as well."""


def place_all(
    context: Context,
    devices: dict[str, Device],
    batch: UpdateColumns,
    rows: Iterator[Row],
    placed: Placements,
    row: int,
    until: Callable[[CollectorTime], None],
) -> int:
    """Place messages until one is not common; where they went is put into ``placed``.

    Args:
        batch: the messages.
        rows: of it, from ``row`` on; taken from, the one that is not common included.
        row: the first one to place.
        until: what was due before an arrival; called before the message is looked at.

    Returns:
        The row of such a message, of which nothing was changed; the number of rows: all are placed.
    """
    heap, mapped = context.deadlines.heap, bool(context.settings.generators)
    names, revisions, indexes = placed.generators, placed.revisions, placed.period_indexes
    known = found = None
    code = 0
    for (
        arrival, device_name, source, _, header, message_id, key, name, kind,
        event_time, time, incomplete, offset,
    ) in rows:  # fmt: skip
        if heap and heap[0][0] < arrival:
            until(arrival)
            known = None
        speaker = (device_name, source, header, key, name)
        if speaker != known:  # cards send in bursts
            found = None
            device = devices.get(device_name)
            if device is not None and offset >= device.next_offset:
                found = _find(device, source, header, key, name, mapped)
            if found is not None:
                code = names.place(found[1].name)
            known = speaker
        if found is None or incomplete or kind is not PUSH_UPDATE_KIND:
            return row
        run, originator, one = found
        if message_id != (run.last_id + 1) & MODULUS_MASK:  # type: ignore[operator]  # see _find
            return row
        if time is None:
            if event_time is None:
                return row
            time = event_time
        length = one.period
        index = (time - originator.base) // length
        if index != (arrival - originator.arrival_base) // length:
            return row
        period = one.periods.get(index)
        if index < one.next_index if period is None else period.row is not None:
            return row
        if originator.holes and index in originator.holes and _may_end(originator, period):
            return row
        seen, speakers = run.seen, run.speakers  # as seen_ids.remember
        place = message_id & (len(speakers) - 1)
        at = 3 * place
        if arrival - seen[at] < PATIENCE:
            return row
        if event_time is None:
            seen[at + 2], seen[at + 1], run.last_time = 0, ~message_id, arrival
        else:
            seen[at + 2], seen[at + 1], run.last_time = event_time, message_id, event_time
        seen[at] = arrival
        speakers[place] = originator.speaker
        run.last_id = message_id
        run.last_arrival = arrival
        run.messages += 1
        run.last_originator = originator
        run.last_index = index
        if period is None:
            period = fold.open_period(one, index)
        look = _keep(originator, period, index, arrival, time)
        if look:
            closing.complete_at_once(context, one, index, arrival)
            if look == LOOK_EARLIER:
                closing.complete_earlier(context, one, index, arrival)
        names.codes[row] = code
        revisions[row] = one.revision
        indexes[row] = index
        row += 1
    return row


def _may_end(originator: Originator, period: Period | None) -> bool:
    """May one more record end the shortfall that a hole left (``gaps.owes_no_more``)?"""
    slot = None if period is None else period.slots.get(originator.name)
    return slot is None or originator.usual is None or slot.count + 1 >= originator.usual


def _find(
    device: Device, source: str, header: int | None, key: int | None, name: str | None, mapped: bool
) -> tuple[Run, Originator, Subscription] | None:
    """Whose message it is, and the run of its ids; None when anything about them is not common.

    Args:
        mapped: the operator gave odd generators other names.
    """
    whose: int | str | None = header
    if header is None and not mapped:
        whose = source if name is None else name  # as updates.generator_of
    counter = None if whose is None else device.counters.get((source, whose))
    if counter is None or key is None:
        return None
    run = counter.all
    if counter.each:
        each = counter.each.get(key)
        if each is None or (
            len(counter.each) > 1
            and -COST_LIMIT < counter.cost_all - counter.cost_each < COST_LIMIT
        ):
            return None  # both books are followed
        if counter.per_key:
            run = each
    elif counter.only_key != key:
        return None
    if run.last_id is None or run.waiting or run.unmet:
        return None
    if name is None:
        originator = counter.by_header
    else:
        here = device.subscriptions.get(key)
        originator = None if mapped or here is None else here.originators.get(name)
    if originator is None or originator.counter is not counter:
        return None
    if originator.remembered is not None or originator.slips or originator.first_index is None:
        return None
    one = originator.subscription
    if one.id != key or not one.live or one.range_from is not None:
        return None
    return run, originator, one


def _keep(originator: Originator, period: Period, index: int, arrival: int, time: int) -> int:
    """The fold of one message; returns which periods may be complete with it."""
    fold.tell(originator, index, arrival, time)
    name = originator.name
    slot = period.slots.get(name)
    if slot is not None:
        slot.last_arrival = arrival
        slot.count += 1
    else:
        slot = period.slots[name] = Slot(index, arrival, arrival, 1)
        if not originator.member:
            period.plain = False
        if index > originator.last_index:
            originator.last_index = index
            if originator.usual is None:
                return LOOK_EARLIER
    if period.short < 0:
        return LOOK_HERE
    if slot.count == originator.usual and originator.member:
        period.short -= 1
        return LOOK_NOWHERE if period.short else LOOK_HERE
    return LOOK_NOWHERE
