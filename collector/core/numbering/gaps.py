"""Who is blamed for missing ids: the suspects of a hole, and the ids left for each.

Does not: find holes (``message_ids``) or say verdicts (``judge``).
Rules: docs/verdicts.md, "Gaps and suspects". Suspects are fixed when a hole opens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from collector.core.memory import arcs
from collector.core.memory.arcs import Arc, indexes_meeting
from collector.core.memory.clocks import on_our_clock
from collector.core.memory.state import (
    ALL_KEYS,
    Counter,
    Hole,
    Originator,
    Restart,
    Run,
    Subscription,
)
from collector.core.memory.state_parts import Slot
from collector.model import SECOND, DeviceTime

SHARPEN_PERIODS = 64
"""For so many periods the cause of a missing record may still sharpen."""
Suspect = tuple[Originator, int]
NOBODYS: tuple[Hole, ...] = ()
NEIGHBOURS = 4
"""The newest holes of a run that are looked at for the same suspects (ours)."""


def width(period: int) -> int:
    """By how much an arrival arc is widened on both sides, ns."""
    return max(SECOND // 10, period // 50)


def suspects_between(run: Run, start: int, end: int, limit: int) -> list[Suspect]:
    """Every (originator, period) of the run whose arrival arc meets [start, end]."""
    found: list[Suspect] = []
    for originator in run.counter.originators:
        subscription = originator.subscription
        if run.key not in (ALL_KEYS, subscription.id) or not subscription.live:
            continue
        for index in _indexes(originator, start, end):
            if len(found) >= limit:
                return found
            found.append((originator, index))
    return found


def nearest(run: Run, at: int) -> list[Suspect]:
    """The (originator, period) of the run whose arrival arc is nearest to an instant that none
    meets: a message that came late and could not be read is still one of that period."""
    best: tuple[int, Suspect] | None = None
    for originator in run.counter.originators:
        subscription = originator.subscription
        arc, offset = originator.arrival_arc, subscription.offset
        if run.key not in (ALL_KEYS, subscription.id) or arc is None or offset is None:
            continue
        middle = offset + (arc.start + arc.end) // 2
        index = (at - middle + subscription.period // 2) // subscription.period
        away = abs(at - middle - index * subscription.period) - (arc.end - arc.start) // 2
        if is_suspect_index(originator, index) and (best is None or away < best[0]):
            best = away, (originator, index)
    return [] if best is None else [best[1]]


def _indexes(originator: Originator, start: int, end: int) -> range:
    subscription = originator.subscription
    arc, offset, first = originator.arrival_arc, subscription.offset, subscription.first_index
    if arc is None or offset is None or first is None:
        return range(0)
    period = subscription.period
    if originator.varies:
        arc = _reach(originator, arc, offset, period)
    met = indexes_meeting(arc, offset, period, start, end, width(period))
    oldest = max(first, subscription.next_index - SHARPEN_PERIODS)
    return range(max(met.start, oldest), met.stop)


def _reach(originator: Originator, arc: Arc, offset: int, period: int) -> Arc:
    """The arc with all that came in its last periods: one that sends now less, now more, shows by
    turns a short burst and a long one, and its arc has half forgotten the long one."""
    start, end = arc
    for slot in originator.recent:
        tick = arcs.nominal(offset, period, slot.index)
        start = min(start, slot.first_arrival - tick)
        end = max(end, slot.last_arrival - tick)
    return Arc(start, end)


def is_suspect_index(originator: Originator, index: int) -> bool:
    """Nobody is blamed for a period before the subscription's first."""
    subscription = originator.subscription
    first = subscription.first_index
    return subscription.live and first is not None and index >= first


def blame(hole: Hole, suspects: Iterable[Suspect]) -> None:
    """Fix who is blamed for a hole.

    Holes of one arc mostly have the same suspects, and their suspects the same holes: they share
    the tuples, and ``affected`` looks at each once.
    """
    known = set(hole.suspects)
    new = [one for one in dict.fromkeys(suspects) if one not in known]
    hole.owing = None
    hole.suspects = (*hole.suspects, *new)
    for other in hole.run.holes[-NEIGHBOURS:]:
        if other.suspects == hole.suspects:
            hole.suspects = other.suspects
    hole.blamed += len(new)
    longer: dict[int, tuple[Hole, ...]] = {}
    for originator, index in new:
        if not originator.holes:
            originator.holes = {}
        before = originator.holes.get(index, NOBODYS)
        after = longer.get(id(before)) or longer.setdefault(id(before), (*before, hole))
        originator.holes[index] = after
        originator.subscription.marks += 1
        originator.recount = True


def accuse(restart: Restart, suspects: Iterable[Suspect]) -> None:
    """Fix whose missing record a restart may explain."""
    for originator, index in suspects:
        restart.suspects.append((originator, index))
        if not originator.restarts:
            originator.restarts = {}
        originator.restarts.setdefault(index, []).append(restart)
        originator.subscription.marks += 1


def acquit(counter: Counter) -> None:
    """Nobody is suspected any longer for the holes of the book that does not count."""
    for originator in counter.originators:
        for index, holes in list(originator.holes.items()):
            left = tuple([hole for hole in holes if hole.run.in_force])
            originator.subscription.marks -= len(holes) - len(left)
            if left:
                originator.holes[index] = left
            else:
                del originator.holes[index]


def open_ids(hole: Hole) -> int:
    """Ids still missing; 0 where the other book counts."""
    return hole.size - len(hole.found) if hole.run.in_force else 0


def open_records(hole: Hole) -> int:
    """Records that these ids may have been: a message may bundle several."""
    return open_ids(hole) * hole.run.bundled


def touching(originator: Originator, index: int) -> Sequence[Hole]:
    """The open holes that count and touch an originator's period; not to be changed."""
    holes = originator.holes.get(index, NOBODYS)
    for hole in holes:
        if not open_ids(hole):
            return [hole for hole in holes if open_ids(hole)]
    return holes


def has_spoken_behind(originator: Originator, counter: Counter, index: int) -> bool:
    """Did the counter send anything behind the originator's arrival arc of a period, and behind
    its own records there, which may have come later than ever before?"""
    subscription = originator.subscription
    assert subscription.offset is not None
    spoken = counter.run_of(subscription.id).last_arrival
    slot = slot_of(originator, index)
    if slot is not None and slot.last_arrival >= spoken:
        return False
    tick = DeviceTime(arcs.nominal(subscription.offset, subscription.period, index))
    return on_our_clock(tick, originator.arrivals_to) < spoken


def slot_of(originator: Originator, index: int) -> Slot | None:
    """What is kept of an originator in a period."""
    period = originator.subscription.periods.get(index)
    return period.slots.get(originator.name) if period is not None else None


def usual_at(originator: Originator, index: int) -> int | None:
    """The usual count in a period; None while unknown or in doubt."""
    doubt = originator.doubt
    return originator.usual if doubt is None or index < doubt else None


def shortfall(originator: Originator, index: int) -> int:
    """Records that an originator owes for a period; unknown usual count: 1 if absent.

    With any record nothing, while its usual count is in doubt.
    """
    subscription = originator.subscription
    period, usual = subscription.periods.get(index), originator.usual
    if period is None and index < subscription.next_index:
        # nothing can change there any more: it was COMPLETE, too long ago, or silent
        silent = any(first <= index <= last for first, last in subscription.silences)
        return (usual or 1) if silent else 0
    slot = None if period is None else period.slots.get(originator.name)
    records = 0 if slot is None else slot.count
    if records and usual_at(originator, index) is None:
        return 0
    usual = usual or 1
    return usual - records if records < usual else 0


def owes_no_more(originator: Originator, slot: Slot) -> bool:
    """Was its newest record the one that ended its shortfall?

    While a burst goes on each record makes the shortfall smaller; what others are blamed for is
    only looked at again once it has ended, or when the period closes.
    """
    return slot.count == (usual_at(originator, slot.index) or 1)


def has_ids_left(hole: Hole, originator: Originator, index: int) -> bool:
    """Has a hole ids that its other suspects do not explain?

    While nodes may have moved, who has as many records as before is rather whole than who has
    fewer.
    """
    left, as_before = open_records(hole), not _missing_of_before(originator, index)
    for other, at, owed in _short_ones(hole):
        if other is originator and at == index:
            continue
        if as_before:
            owed = owed or _missing_of_before(other, at)
        left -= _explained(hole, other, at, owed)
        if left <= 0:
            return False
    return left > 0


def another_is_short(hole: Hole, originator: Originator, index: int) -> bool:
    """Does another suspect owe records, or may it?"""
    return any(other is not originator or at != index for other, at, _ in _short_ones(hole))


def _short_ones(hole: Hole) -> Iterator[tuple[Originator, int, int]]:
    """The suspects of a hole that owe records, or may owe some (0), and how many.

    Who was found to owe nothing is not looked at again (``look_again``): hundreds of subscriptions
    may share a counter, and of their records most came.
    """
    if hole.owing is None:
        hole.owing = list(hole.suspects)
    owing, place = hole.owing, 0
    while place < len(owing):
        originator, index = owing[place]
        owed = shortfall(originator, index)
        if owed or _missing_of_before(originator, index):
            yield originator, index, owed
            place += 1
        else:
            owing[place] = owing[-1]
            owing.pop()


def _missing_of_before(originator: Originator, index: int) -> int:
    """Records that it has fewer than usual, while its usual count is in doubt."""
    doubt, usual = originator.doubt, originator.usual
    if doubt is None or usual is None or index < doubt:
        return 0
    slot = slot_of(originator, index)
    return max(usual - slot.count, 0) if slot is not None else 0


def look_again(originator: Originator, index: int | None = None) -> None:
    """An originator may owe more than before, in a period or in all: its usual count changed, or a
    record was taken away."""
    for at, holes in originator.holes.items():
        if index in (None, at):
            for hole in holes:
                hole.owing = None


def _explained(hole: Hole, suspect: Originator, index: int, owed: int) -> int:
    """Of the ids of a hole those that a suspect's records had which no other hole explains."""
    for one in suspect.holes.get(index, NOBODYS):
        if owed <= 0:
            return 0  # the common end: many holes in one arc explain any shortfall
        if one is not hole:
            owed -= open_records(one)
    return max(owed, 0)


def may_be_irregular(hole: Hole) -> bool:
    """May these ids be records that come when something happens, in no period?"""
    key = hole.run.key
    return any(
        key in (ALL_KEYS, one.id) and (one.until is None or one.until >= hole.before_arrival)
        for one in hole.run.counter.irregular
    )


def affected(suspects: Iterable[Suspect]) -> Iterator[tuple[Subscription, int]]:
    """Periods whose verdict may depend on these suspects, one step further included."""
    looked_at: set[int] = set()  # many holes with the same suspects would be looked at many times
    for originator, index in suspects:
        yield originator.subscription, index
        holes = originator.holes.get(index, NOBODYS)
        if id(holes) in looked_at:
            continue
        looked_at.add(id(holes))
        for hole in holes:
            if id(hole.suspects) not in looked_at:
                looked_at.add(id(hole.suspects))
                for other, at in hole.suspects:
                    yield other.subscription, at


def affected_by_records(originator: Originator, index: int) -> Iterator[tuple[Subscription, int]]:
    """As ``affected``, of one suspect whose records came: without the holes of which the others
    deserve the same, whether it owes all that it usually sends or what it owes now.

    With hundreds of suspects of one hole each would have all judged again otherwise.
    """
    yield originator.subscription, index
    before, now = originator.usual or 1, shortfall(originator, index)
    for hole in touching(originator, index):
        if _may_matter(hole, originator, index, before, now):
            for other, at in hole.suspects:
                yield other.subscription, at


def _may_matter(hole: Hole, originator: Originator, index: int, before: int, now: int) -> bool:
    """May it matter to the other suspects of a hole that one owes less than before?

    It does not where two others are short still (``another_is_short``) and their records explain
    all ids of the hole, whichever of them is left out (``has_ids_left``).
    """
    explains = _explained(hole, originator, index, before) != _explained(
        hole, originator, index, now
    )
    if not explains and bool(before) == bool(now):
        return False
    left, most = open_records(hole) if explains else 0, 0
    for short, (other, at, owed) in enumerate(_short_ones(hole), 1):
        if explains:
            part = _explained(hole, other, at, owed)
            left -= part
            most = max(most, part)
        if short > 1 and left + most <= 0:
            return False
    return True
