"""Message IDs of a run: gaps, duplicates, restarts modulo 2^32.

Does: follow the ids of one run behind a (source address, header id).
Does not: know which run counts (``two_books``), or periods; who is blamed for a hole is ``gaps``.
Rules: docs/verdicts.md, "Ids"; draft-ietf-netconf-udp-notif-26 §3.2: a Message ID starts
anywhere and wraps to 0.
"""

from __future__ import annotations

from enum import IntEnum

from collector.core.memory.arcs import indexes_meeting
from collector.core.memory.state import Counter, Hole, Run
from collector.core.numbering.seen_ids import PATIENCE, Signature, remember, seen_at
from collector.core.numbering.two_books import charge, charge_for_behind, followed
from collector.model import SECOND

MODULUS_MASK = 0xFFFFFFFF
HALF = 0x80000000
GAP_AT_LEAST = 4096
"""An id so far ahead is still a gap, however slow the counter is."""


class Finding(IntEnum):
    """What the id of a message says."""

    NEXT = 0
    FIRST = 1
    GAP = 2
    FILLS = 3
    DUPLICATE = 4
    RESTART = 5
    OVERTAKEN = 6


def patience(period: int) -> int:
    """How long an overtaken or doubled message may take, ns; period 0 when unknown."""
    return min(PATIENCE, period // 2) if period else PATIENCE


def observe(run: Run, signature: Signature, period: int, limit: int) -> tuple[Finding, Hole | None]:
    """Follow one message in one run.

    Args:
        period: of the message's subscription, ns; 0 when unknown.
        limit: how many holes a run keeps open.

    Returns:
        What the id says, and the hole that it opened or filled.
    """
    message_id, _, _, _, _, arrival = signature
    if run.last_id is None:
        run.first_arrival = arrival
        advance(run, signature)
        return Finding.FIRST, None
    ahead = (message_id - run.last_id) & MODULUS_MASK
    if ahead == 1:
        advance(run, signature)
        return Finding.NEXT, None
    if ahead == 0 or ahead >= HALF:
        return _behind(run, signature, period)
    if is_duplicate(run, signature, period):
        return Finding.DUPLICATE, None  # of a message from before a restart
    if ahead > max(GAP_AT_LEAST, _usual_since_last(run, arrival)):
        return _begin_anew(run, signature), None
    hole = open_hole(run, (run.last_id + 1) & MODULUS_MASK, ahead - 1, arrival, "lost", limit)
    hole.priced = charge(run, 1)
    advance(run, signature)
    return Finding.GAP, hole


def advance(run: Run, signature: Signature) -> None:
    """The run stands at this message now."""
    message_id, event_time, _, _, _, arrival = signature
    run.last_id = message_id
    run.last_arrival = arrival
    run.last_time = arrival if event_time is None else event_time
    run.messages += 1
    remember(run, signature)


def _usual_since_last(run: Run, arrival: int) -> int:
    """Twice the messages that the counter usually sends in the time since its last one."""
    lived = run.last_arrival - run.first_arrival
    if lived <= 0:
        return 0
    return 2 * run.messages * (arrival - run.last_arrival) // lived


def _behind(run: Run, signature: Signature, period: int) -> tuple[Finding, Hole | None]:
    message_id, event_time, _, _, _, arrival = signature
    hole = hole_with(run, message_id)
    if hole is not None:
        fill(hole, message_id)
        late = arrival - hole.opened > patience(period)
        if late:
            charge_for_behind(run)
        elif hole.priced and hole not in run.holes:
            hole.priced = False
            charge(run, -1)
        remember(run, signature)
        return Finding.FILLS, hole
    if is_duplicate(run, signature, period):
        return Finding.DUPLICATE, None
    if (arrival if event_time is None else event_time) > run.last_time:
        return _begin_anew(run, signature), None
    charge_for_behind(run)
    remember(run, signature)
    return Finding.OVERTAKEN, None


def is_duplicate(run: Run, signature: Signature, period: int) -> bool:
    """Was this very message here before (without event times: a moment ago)?"""
    before = seen_at(run, signature)
    if before is None:
        return False
    return signature[1] is not None or signature[5] - before <= patience(period)


def _begin_anew(run: Run, signature: Signature) -> Finding:
    run.holes = ()
    run.before_restart = run.last_arrival
    charge(run, 1)
    advance(run, signature)
    return Finding.RESTART


def open_hole(run: Run, first_id: int, size: int, after: int, cause: str, limit: int) -> Hole:
    """A new hole between the run's last message and ``after``; at the limit the oldest goes."""
    before = run.last_arrival if run.last_id is not None else after
    hole = Hole(run, first_id, size, before, after, cause)
    run.holes = (*run.holes, hole)[-limit:]
    return hole


def hole_with(run: Run, message_id: int) -> Hole | None:
    """The open hole that an id is missing from."""
    for hole in run.holes:
        distance = (message_id - hole.first_id) & MODULUS_MASK
        if distance < hole.size and distance not in hole.found:
            return hole
    return None


def excuse(run: Run, hole: Hole, message_id: int) -> bool:
    """Take an id that was no message of the run off the hole that was just opened; whether the hole
    is closed, which gives its cost back."""
    fill(hole, message_id)
    if hole in run.holes:
        return False
    hole.priced = False
    charge(run, -1)
    return True


def is_due(counter: Counter, message_id: int) -> bool:
    """Is it the next id of one of the counter's runs, or missing from one?"""
    return any(
        run.last_id is not None
        and (message_id == (run.last_id + 1) & MODULUS_MASK or hole_with(run, message_id))
        for run in (counter.all, *counter.each.values())
    )


def fill(hole: Hole, message_id: int) -> None:
    """An id of the hole arrived; the last one closes it."""
    if isinstance(hole.found, frozenset):
        hole.found = set()
    hole.found.add((message_id - hole.first_id) & MODULUS_MASK)
    if len(hole.found) >= hole.size:
        hole.run.close(hole)


def begins_late(counter: Counter, each: Run | None, message_id: int) -> bool:
    """Would the run for all messages, laid aside so far, begin afresh with an id that is late?

    It would stand behind what was there already, and find nothing odd in the rest of a late burst.
    """
    if counter.all.last_id is not None or each is None or each.last_id is None:
        return False
    ahead = (message_id - each.last_id) & MODULUS_MASK
    return ahead == 0 or ahead >= HALF


# --------------------------------------------------------------------------- ids without a message
def runs_for_lone_id(counter: Counter, message_id: int, at: int) -> tuple[Run, ...]:
    """The runs that an id belongs to whose message, and so its subscription, is not known.

    With a run per subscription: the run with that hole, else the nearest behind; of equally near
    ones one that is due, so that its arrival arc meets ``at``.
    """
    each = None
    if counter.each:
        each = min(counter.each.values(), key=lambda run: _nearness(run, message_id, at))
    return followed(counter, each)


def _nearness(run: Run, message_id: int, at: int) -> tuple[int, bool, int]:
    if hole_with(run, message_id) is not None:
        return 0, False, run.key
    ahead = MODULUS_MASK if run.last_id is None else (message_id - run.last_id) & MODULUS_MASK
    return ahead or MODULUS_MASK, not _is_due(run, at), run.key


def _is_due(run: Run, at: int) -> bool:
    for originator in run.counter.originators:
        subscription, arc = originator.subscription, originator.arrival_arc
        if subscription.id != run.key or arc is None or subscription.offset is None:
            continue
        offset, period = subscription.offset, subscription.period
        if indexes_meeting(arc, offset, period, at, at, SECOND // 10):
            return True
    return False


def arrive_without_message(
    run: Run, message_id: int, at: int, cause: str, limit: int
) -> tuple[Hole | None, Hole | None]:
    """An id arrived without its message: taken off its hole, or the counter moves on to it.

    Returns:
        The hole before it, if ids are missing there, and its own hole of one id with the cause;
        that is None when the id was here before.
    """
    before: Hole | None = None
    hole = hole_with(run, message_id)
    if hole is not None:
        fill(hole, message_id)
    else:
        if run.last_id is not None:
            ahead = (message_id - run.last_id) & MODULUS_MASK
            if ahead == 0 or ahead > GAP_AT_LEAST:
                return None, None
            if ahead > 1:
                first = (run.last_id + 1) & MODULUS_MASK
                before = open_hole(run, first, ahead - 1, at, "lost", limit)
        else:
            run.first_arrival = at
        run.last_id, run.last_arrival = message_id, max(at, run.last_arrival)
        run.messages += 1
    lone = open_hole(run, message_id, 1, at, cause, limit)
    lone.before_arrival = at
    return before, lone
