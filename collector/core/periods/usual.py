"""The usual count: how many records an originator delivers in a period, as far as that is known.

Does: read it afresh when a period has closed, and keep the counts it rests on. Does not: say when
(``learning``), or what follows from it (``judge``, ``closing``).
Rules: docs/verdicts.md, "Usual count".
"""

from __future__ import annotations

from collections.abc import Mapping

from collector.core.expectation import unread
from collector.core.memory import arcs
from collector.core.memory.state import Originator, Subscription
from collector.core.memory.state_parts import Slot
from collector.core.numbering import gaps

USUAL_PERIODS = 3
KEPT_PERIODS = 8
"""Closed periods whose count may still change its standing; of older ones only counts are kept."""


def count_usual(originator: Originator, slot: Slot | None) -> bool:
    """Read the usual count afresh; True when it changed, or is no longer in doubt.

    The records of a period, if the last 8 closed periods in which it delivered and that no open
    hole touches agree; 3 of them are enough while no sibling's counts differ. Else unknown: what
    one card sends by turns twice and once, another one sends twice three times running by chance.

    Args:
        slot: what it delivered in the period that has just closed, if anything.
    """
    before = originator.usual
    if slot is not None and not _is_mixed(originator, slot):
        _make_room(originator, before)
        originator.recent.append(slot)
    doubted = originator.doubt is not None
    if not _resolve(originator):
        return False
    if not originator.recount and not originator.holes and (slot is None or slot.count == before):
        return doubted
    originator.recount = False
    originator.usual = _agreed(originator)
    if originator.usual == before:
        return doubted
    gaps.look_again(originator)
    return True


def count_steady(subscription: Subscription, slots: Mapping[str, Slot]) -> bool:
    """Count a period in which everybody delivered what it usually does, and nothing is open.

    Does what ``count_usual`` does for each originator, at a fraction of the cost.

    Returns:
        Whether the period was one; if not, nothing was changed.
    """
    known = subscription.originators
    if subscription.marks or len(slots) != len(known):
        return False
    for name, slot in slots.items():
        originator = known.get(name)
        if originator is None or slot.count != originator.usual or originator.recount:
            return False
    for name, slot in slots.items():
        originator = known[name]
        if len(originator.recent) >= KEPT_PERIODS:
            _make_room(originator, slot.count)
        originator.recent.append(slot)
    return True


def doubt(subscription: Subscription, since: int) -> None:
    """Nodes may have moved between the originators at ``since``, by the publisher's clock.

    Their usual counts say nothing then, until a period behind it shows whether they are the same.
    """
    if subscription.offset is None:
        return
    before = arcs.nominal(subscription.offset, subscription.period, 0) - subscription.period // 2
    subscription.moved = (since - before) // subscription.period
    for originator in subscription.originators.values():
        if originator.usual is not None:
            originator.doubt = subscription.moved if originator.doubt is None else originator.doubt
            originator.recount = True  # until the doubt is resolved
        elif not originator.varies:
            originator.recent, originator.settled = [], ()


def _resolve(originator: Originator) -> bool:
    """Do periods behind the move show that the usual count is the same, or that it is not, or
    was it in no doubt?

    The first one that shows it decides; where one may still lack a record, a later one.
    """
    since = originator.doubt
    if since is None:
        return True
    moved, usual = originator.subscription.moved, originator.usual
    after = [slot for slot in originator.recent if slot.index > moved and slot.count]
    for slot in after:
        if not _is_unsettled(originator, slot):
            originator.doubt = None
            if slot.count == usual:
                meanwhile = range(since, moved + 1)  # it had others' nodes, or others its own
                recent = [one for one in originator.recent if one.index not in meanwhile]
                originator.recent = recent
                gaps.look_again(originator)
            else:
                originator.recent, originator.settled = after, ()
            return True
    return False


def remember(originator: Originator, slot: Slot) -> None:
    """A first record came after the deadline: its period counts from the next deadline on.

    An originator that the list leaves out may be that late every time: no deadline waits for it.
    """
    if _is_mixed(originator, slot):
        return
    recent = originator.recent
    place = len(recent)
    while place and recent[place - 1].index > slot.index:
        place -= 1
    recent.insert(place, slot)
    _make_room(originator, originator.usual, KEPT_PERIODS)
    originator.recount = True


def _is_mixed(originator: Originator, slot: Slot) -> bool:
    """Did nodes move in that period, or in one behind it? What it counts is usual no longer, and
    where they moved back at once it was not usual at all."""
    return 0 < slot.index <= originator.subscription.moved


def _make_room(originator: Originator, usual: int | None, most: int = KEPT_PERIODS - 1) -> None:
    """Before one more comes: a list that had nine for a moment keeps room for sixteen."""
    recent = originator.recent
    if len(recent) > most:
        oldest = recent.pop(0)
        if originator.holes or originator.settled.count(usual) != KEPT_PERIODS:
            _settle(originator, oldest)


def _settle(originator: Originator, slot: Slot) -> None:
    """Keep the count of a period whose fold is not kept any longer."""
    if slot.count and not _is_unsettled(originator, slot):
        settled = (*originator.settled, slot.count)[-KEPT_PERIODS:]
        first = next(iter(originator.subscription.originators.values()))
        originator.settled = first.settled if first.settled == settled else settled


def _agreed(originator: Originator) -> int | None:
    clean = [
        slot.count
        for slot in originator.recent
        if slot.count and not _is_unsettled(originator, slot)
    ]
    # where most periods lose something, clean ones lie further back
    counts = [*originator.settled, *clean][-KEPT_PERIODS:]
    originator.varies = len(set(counts)) > 1
    enough = KEPT_PERIODS if originator.subscription.varies else USUAL_PERIODS
    return counts[0] if len(counts) >= enough and not originator.varies else None


def _is_unsettled(originator: Originator, slot: Slot) -> bool:
    """May a record of that period be missing? An open hole touches it, or one may yet come to."""
    if slot.index in originator.holes and gaps.touching(originator, slot.index):
        return True
    usual, counter = originator.usual, originator.counter
    if usual is None or slot.count >= usual:
        return False
    period = originator.subscription.periods.get(slot.index)
    if period is not None and unread.kept_waiting(originator.subscription, originator, period):
        return True
    if counter is None:
        return False
    return not gaps.has_spoken_behind(originator, counter, slot.index)
