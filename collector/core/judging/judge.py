"""The verdict on a period: what is said of each required originator, and the outcome of all.

Does: read the state of one period and say what it deserves now. Changes nothing but the notes of
who waits for a counter to speak (``Run.waiting``) and which holes were charged.
Does not: decide when, or what may still change (``closing``, ``amendments``).
Rules: docs/verdicts.md, "Verdict on one required originator" and "Outcomes".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from collector.core.expectation import expected, unread
from collector.core.expectation.deadlines import STARTING_PERIODS, amendable, deadline_of, nominal
from collector.core.memory.clocks import meets, on_our_clock
from collector.core.memory.state import Hole, Originator, Subscription
from collector.core.memory.state_parts import Period, Slot, Windows
from collector.core.numbering import gaps
from collector.model import (
    Cause,
    GeneratorCause,
    NotJudgedReason,
    Outcome,
    Provenance,
)

WEIGHT: dict[Cause, int] = {
    cause: weight
    for weight, cause in enumerate(
        (
            Cause.SILENT,
            Cause.RESTARTED,
            Cause.LEFT,
            Cause.LOST,
            Cause.UNREASSEMBLED,
            Cause.REJECTED,
            Cause.LOST_HERE,
        )
    )
}
"""Of several causes of a missing record the heaviest counts."""
_LOSSES = (Cause.LOSS, Cause.POSSIBLE_LOSS)


class Judged(NamedTuple):
    """What a period deserves to be called."""

    outcome: Outcome
    reason: NotJudgedReason | None
    required: tuple[str, ...]
    received: tuple[str, ...]
    missing: tuple[GeneratorCause, ...]
    degraded: tuple[GeneratorCause, ...]
    unexpected: tuple[str, ...]
    late: tuple[str, ...]
    provenance: Provenance | None


# --------------------------------------------------------------------------- plain rules
def cause_of_missing(
    holes: Sequence[Cause], *, dropped: bool, left: bool, restarted: bool
) -> Cause:
    """Why there is no record at all.

    Args:
        holes: causes of the holes that have ids left for this originator.
        dropped: our own side dropped where its record should have come.
        left: a list without it came into force soon enough.
        restarted: its counter began anew in its place.
    """
    found = [*holes, Cause.SILENT]
    if dropped:
        found.append(Cause.LOST_HERE)
    if left:
        found.append(Cause.LEFT)
    if restarted:
        found.append(Cause.RESTARTED)
    return max(found, key=WEIGHT.__getitem__)


def cause_of_degraded(
    *,
    records: int,
    usual: int | None,
    charged: bool,
    touched: bool,
    possible: bool,
    past: bool,
    incomplete: bool,
) -> Cause | None:
    """Why an originator with records is degraded, None when it is not.

    Args:
        usual: usual count of records, None when unknown.
        charged: a hole touches it of which no other suspect is short.
        touched: any open hole touches it.
        possible: a hole has ids left for it.
        past: its counter has spoken behind its arc.
        incomplete: a record carried ``incomplete-update``.
    """
    if charged:
        return Cause.LOSS
    if usual is not None and records < usual and (touched or not past):
        return Cause.LOSS
    if usual is None and possible:
        return Cause.POSSIBLE_LOSS
    return Cause.INCOMPLETE_UPDATE if incomplete else None


def outcome_of(*, missing: bool, degraded: bool, excused: bool, stretch: bool) -> Outcome:
    """The one word, by precedence; without a list it is UNKNOWN whatever happened.

    Args:
        missing: a required originator without record that nothing excuses.
        excused: what lacks of a required originator has a reason that makes nobody guilty.
        stretch: terms, suspension, start, end or our own absence fall into the period.
    """
    if not (missing or degraded or excused):
        return Outcome.COMPLETE
    if stretch:
        return Outcome.NOT_JUDGED
    if missing:
        return Outcome.INCOMPLETE
    return Outcome.NOT_JUDGED if excused else Outcome.DEGRADED


# --------------------------------------------------------------------------- one originator
def hole_cause(windows: Windows, hole: Hole) -> Cause:
    """Why the ids of a hole are missing."""
    if hole.cause != Cause.REJECTED:
        start, end = hole.before_arrival, hole.after_arrival
        dropped = hole.run.counter.by_datagrams and meets(windows.drops, start, end)
        if dropped or meets(windows.downs, start, end):
            return Cause.LOST_HERE
    return Cause(hole.cause)


def missing_cause(subscription: Subscription, name: str, period: Period) -> Cause:
    """Why a required originator has no record in a period."""
    index = period.index
    originator = subscription.originators.get(name)
    left = _left(subscription, name, period)
    if originator is None:
        return cause_of_missing([], dropped=False, left=left, restarted=False)
    causes = []
    for hole in gaps.touching(originator, index):
        if gaps.has_ids_left(hole, originator, index):
            hole.charged = True
            causes.append(hole_cause(subscription.windows, hole))
    restarts = originator.restarts.get(index, ())
    return cause_of_missing(
        causes,
        dropped=not causes and _dropped_in_its_place(originator, index),
        left=left,
        restarted=any(one.run.in_force for one in restarts),
    )


def _left(subscription: Subscription, name: str, period: Period) -> bool:
    """Did a list without it come into force soon enough?"""
    if expected.is_settled(subscription, period.index):
        return False  # no list is younger than the period
    deadline = period.deadline if period.closed else deadline_of(subscription, period.index)
    until = deadline + amendable(subscription.period)
    return expected.leaves(subscription, name, period.index, until)


def _dropped_in_its_place(originator: Originator, index: int) -> bool:
    """Did we drop where its record should have come, and its counter has not said otherwise?"""
    subscription = originator.subscription
    drops = subscription.windows.drops
    if not drops or not originator.heard or not originator.by_datagrams:
        return False
    tick = nominal(subscription, index)
    wide = gaps.width(subscription.period)
    start = on_our_clock(tick, originator.arrivals_from - wide)
    end = on_our_clock(tick, originator.arrivals_to + wide)
    if not meets(drops, start, end):
        return False
    return not is_past(originator, index)


def is_past(originator: Originator, index: int) -> bool:
    """Has its counter spoken behind its arrival arc of a period? If not, wait for that."""
    counter = originator.counter
    if counter is None:
        return False
    if gaps.has_spoken_behind(originator, counter, index):
        return True
    run = counter.run_of(originator.subscription.id)
    if (originator, index) not in run.waiting:
        run.waiting = (*run.waiting, (originator, index))
    return False


def degraded_cause(originator: Originator, slot: Slot) -> Cause | None:
    """Why an originator that delivered is degraded, None when it is not."""
    index = slot.index
    usual = gaps.usual_at(originator, index)
    short = usual is not None and slot.count < usual
    if not short and index not in originator.holes:
        return Cause.INCOMPLETE_UPDATE if slot.incomplete else None
    holes = gaps.touching(originator, index)
    charged = [one for one in holes if not gaps.another_is_short(one, originator, index)]
    if usual is not None and not short:
        charged = [one for one in charged if not gaps.may_be_irregular(one)]
    possible: list[Hole] = []
    if usual is None and not charged:
        possible = [one for one in holes if gaps.has_ids_left(one, originator, index)]
    cause = cause_of_degraded(
        records=slot.count,
        usual=usual,
        charged=bool(charged),
        touched=bool(holes),
        possible=bool(possible),
        past=not short or is_past(originator, index),
        incomplete=slot.incomplete,
    )
    if cause in _LOSSES:
        for hole in charged or (holes if short else possible):
            hole.charged = True
    return cause


def is_starting(subscription: Subscription, name: str, index: int) -> bool:
    """Not heard yet, and the reply is at most three periods old?"""
    reply = subscription.reply_index
    if reply is None or index >= reply + STARTING_PERIODS:
        return False
    originator = subscription.originators.get(name)
    first = originator.first_index if originator is not None else None
    return first is None or first > index


# --------------------------------------------------------------------------- one period
def judge(
    subscription: Subscription,
    period: Period,
    forced: NotJudgedReason | None = None,
) -> Judged:
    """What a period deserves as things stand.

    Args:
        forced: the reason when it is not COMPLETE, whatever is missing (an end).
    """
    index = period.index
    in_force = expected.at(subscription, index)
    received = tuple(sorted(period.slots))
    late = tuple([name for name in received if period.slots[name].late])
    if in_force is None:
        return Judged(Outcome.UNKNOWN, None, (), received, (), (), (), late, None)
    stretch = forced or stretch_reason(subscription, period)
    missing, degraded, excuse = _each_required(subscription, period, in_force)
    outcome = outcome_of(
        missing=bool(missing),
        degraded=bool(degraded),
        excused=excuse is not None,
        stretch=bool(stretch),
    )
    unexpected = tuple([name for name in received if name not in in_force.allowed])
    if len(received) == len(in_force.members) and not missing and not excuse:
        received = in_force.members
    return Judged(
        outcome,
        (stretch or excuse) if outcome is Outcome.NOT_JUDGED else None,
        in_force.members,
        received,
        missing,
        degraded,
        unexpected,
        late,
        in_force.provenance,
    )


def _each_required(
    subscription: Subscription,
    period: Period,
    in_force: expected.Expected,
) -> tuple[tuple[GeneratorCause, ...], tuple[GeneratorCause, ...], NotJudgedReason | None]:
    index = period.index
    missing: list[GeneratorCause] = []
    degraded: list[GeneratorCause] = []
    excuse: NotJudgedReason | None = None
    for name in in_force.members:
        slot = period.slots.get(name)
        originator = subscription.originators.get(name)
        if slot is not None and originator is not None:
            cause = degraded_cause(originator, slot)
            if cause in _LOSSES and unread.kept_waiting(subscription, originator, period):
                excuse = excuse or NotJudgedReason.COLLECTOR_DOWN
            elif cause is not None:
                degraded.append(GeneratorCause(name, cause))
        elif is_starting(subscription, name, index):
            excuse = NotJudgedReason.STARTING
        elif originator is not None and index in originator.slipped:
            excuse = excuse or NotJudgedReason.SLIPPED
        elif unread.kept_waiting(subscription, originator, period):
            excuse = excuse or NotJudgedReason.COLLECTOR_DOWN
        else:
            cause = missing_cause(subscription, name, period)
            missing.append(GeneratorCause(name, cause))
    return tuple(missing), tuple(degraded), excuse


def stretch_reason(subscription: Subscription, period: Period) -> NotJudgedReason | None:
    """Why a period that is not COMPLETE is not judged at all."""
    index = period.index
    if expected.suspended(subscription, index):
        return NotJudgedReason.SUSPENDED
    reply = subscription.reply_index
    if reply is not None and index <= reply:
        return NotJudgedReason(subscription.start_reason)
    said = period.row
    if said is None or said.reason is NotJudgedReason.COLLECTOR_DOWN:
        downs = subscription.windows.downs
        if downs and meets(downs, *unread.awaited(subscription, period)):
            return NotJudgedReason.COLLECTOR_DOWN
    return None
