"""A period closes: at once when nothing is missing, else at its deadline; then learning moves.

Does: first verdicts, silence as ranges, the end of all open periods.
Does not: judge (``judge``) or amend (``amendments``).
Rules: docs/verdicts.md, "When", "Everything learned", "First and last".
"""

from __future__ import annotations

from collector.core.context import Context
from collector.core.expectation import expected, stopping, unread
from collector.core.expectation.deadlines import (
    STARTING_PERIODS,
    deadline_of,
    nominal,
    refresh,
)
from collector.core.judging import amendments, forgetting
from collector.core.judging.judge import Judged, judge
from collector.core.memory import arcs
from collector.core.memory.state import Subscription
from collector.core.memory.state_parts import ListInForce, Period
from collector.core.numbering import gaps
from collector.core.periods import fold, learning
from collector.model import (
    SECOND,
    NotJudgedReason,
    Outcome,
)

SINGLE_SILENCES = gaps.SHARPEN_PERIODS
"""Silent periods that are said one by one before they are said as ranges (ours)."""
LONGEST_RANGE = 86_400 * SECOND
KEPT_SILENCES = 8


# --------------------------------------------------------------------------- at once
def complete_at_once(context: Context, subscription: Subscription, index: int, now: int) -> None:
    """Say COMPLETE when every required originator has what it usually has and nothing is open."""
    period = subscription.periods.get(index)
    if period is None or period.row is not None or period.closed:
        return
    if period.short == 0 and period.plain and not subscription.marks:
        newest = subscription.lists[-1]
        amendments.say(context, subscription, period, _nothing_missing(newest), now)
        return
    in_force = expected.at(subscription, index)
    if in_force is None or not in_force.members:
        return
    for name in in_force.members:
        originator, slot = subscription.originators.get(name), period.slots.get(name)
        if originator is None or slot is None or slot.incomplete:
            return
        usual = gaps.usual_at(originator, index)
        if slot.count < usual if usual is not None else originator.last_index <= index:
            return
        if originator.holes and gaps.touching(originator, index):
            return
    amendments.say(context, subscription, period, judge(subscription, period), now)


def _nothing_missing(newest: ListInForce) -> Judged:
    return Judged(
        Outcome.COMPLETE, None, newest.members, newest.members, (), (), (), (), newest.provenance
    )


def complete_earlier(context: Context, subscription: Subscription, before: int, now: int) -> None:
    """An originator began a later period: earlier ones may be complete by that."""
    for index in range(subscription.next_index, before):
        complete_at_once(context, subscription, index, now)


def settle(context: Context, now: int) -> None:
    """Judge again what one input may have changed: one row a period at most, in order."""
    dirty = context.dirty
    if not dirty:
        return
    context.dirty = {}
    for key in sorted(dirty):
        amendments.judge_again(context, dirty[key], key[1], now)
        complete_at_once(context, dirty[key], key[1], now)


# --------------------------------------------------------------------------- at the deadline
def close(context: Context, subscription: Subscription, now: int) -> None:
    """The deadline of the oldest open period passed at ``now``."""
    if subscription.first_index is None:
        _say_no_record_at_all(context, subscription, now)
    elif subscription.range_from is not None:
        _say_range(context, subscription, _last_of_range(subscription), now)
        _next_range(subscription)
    else:
        _close_one(context, subscription, now)
    settle(context, now)
    schedule(context, subscription, now)


def _close_one(context: Context, subscription: Subscription, now: int) -> None:
    index = subscription.next_index
    period = subscription.periods.get(index)
    subscription.quiet = subscription.quiet + 1 if period is None else 0
    if period is None:
        period = fold.open_period(subscription, index)
    period.closed = True
    period.deadline = now
    changed = False
    if period.row is None or period.touched:
        changed = learning.read_usual_counts(subscription, {})  # from the periods before: see there
        judged = judge(subscription, period)
        if period.row is None or judged != amendments.as_judged(period.row):
            amendments.say(context, subscription, period, judged, now)
    amendments.expect_final(context, subscription, period)
    changed = learning.learn(context, subscription, index, now, changed)
    subscription.next_index = index + 1
    subscription.kept.append(index)
    _mark_others(context, subscription, index, recounted=changed)
    forgetting.forget_old(context, subscription, now)
    if subscription.quiet >= SINGLE_SILENCES:
        _next_range(subscription)


def _mark_others(
    context: Context, subscription: Subscription, index: int, *, recounted: bool
) -> None:
    """What is owed for a period is known now: whoever shares a hole with it is judged again."""
    if not subscription.marks:
        return
    for one in subscription.originators.values():
        if index in one.holes and gaps.shortfall(one, index):
            others = (
                gaps.affected([(one, index)]) if recounted else gaps.affected_by_records(one, index)
            )
            for other, at in others:
                if at != index or other is not subscription:
                    context.mark(other, at)
    if recounted and subscription.moved:
        _mark_doubted(context, subscription, index)


def _mark_doubted(context: Context, subscription: Subscription, index: int) -> None:
    """A usual count that was in doubt is known: what was lost behind the move can be said now."""
    for one in subscription.originators.values():
        if one.usual is not None and one.doubt is None:
            for at in one.holes:
                if subscription.moved <= at < index:
                    context.mark(subscription, at)


def schedule(context: Context, subscription: Subscription, now: int) -> None:
    """Enter when the oldest open period closes: never before ``now``, whatever a new list says."""
    due = _due(subscription)
    context.deadlines.close_at(subscription, None if due is None else max(due, now))


def _due(subscription: Subscription) -> int | None:
    due = _due_of_period(subscription)
    return stopping.stop_due(subscription) if due is None else due


def _due_of_period(subscription: Subscription) -> int | None:
    if not subscription.live or not subscription.period:
        return None
    if subscription.range_from is not None:
        return deadline_of(subscription, _last_of_range(subscription))
    if subscription.first_index is not None:
        return deadline_of(subscription, subscription.next_index)
    if subscription.reply is None or not subscription.lists:
        return None
    periods = STARTING_PERIODS - 1
    half = subscription.period // 2
    return subscription.reply + periods * subscription.period + half + subscription.grace


def _say_no_record_at_all(context: Context, subscription: Subscription, now: int) -> None:
    """Nothing came since the reply: its period and the three after it are said together."""
    reply = subscription.reply
    assert reply is not None
    if subscription.offset is None:
        subscription.offset = reply % subscription.period
    first = arcs.nearest(subscription.offset, subscription.period, reply)
    subscription.first_index = subscription.next_index = subscription.reply_index = first
    refresh(subscription)
    for _ in range(STARTING_PERIODS):
        _close_one(context, subscription, now)


# --------------------------------------------------------------------------- long silence
def _next_range(subscription: Subscription) -> None:
    subscription.range_from = subscription.next_index


def _last_of_range(subscription: Subscription) -> int:
    assert subscription.range_from is not None
    longest = max(SINGLE_SILENCES, LONGEST_RANGE // subscription.period)
    first = subscription.range_from
    return unread.last_index(subscription, first, first + min(subscription.quiet, longest) - 1)


def _say_range(context: Context, subscription: Subscription, last: int, now: int) -> None:
    """Periods in which nothing came, as one row that is final."""
    first = subscription.next_index
    period = Period(first)
    judged = judge(subscription, period)
    period.deadline = deadline_of(subscription, last)
    period.closed = True
    amendments.say(context, subscription, period, judged, now, final=True, to=last)
    subscription.quiet += last - first + 1
    subscription.silences.append((first, last))
    del subscription.silences[:-KEPT_SILENCES]
    learning.learn(context, subscription, last, now)
    subscription.next_index = last + 1
    forgetting.forget_old(context, subscription, now)


def wake(context: Context, subscription: Subscription, now: int) -> None:
    """Something happens to a silent subscription: what passed of its range is said."""
    if subscription.range_from is None:
        return
    passed = _passed(subscription, now)
    if passed:
        last = subscription.range_from + passed - 1
        _say_range(context, subscription, last, deadline_of(subscription, last))
    subscription.range_from = None
    schedule(context, subscription, now)


def _passed(subscription: Subscription, now: int) -> int:
    """How many of the oldest open periods have a deadline before ``now``."""
    oldest = deadline_of(subscription, subscription.next_index)
    return max(0, (now - oldest - 1) // subscription.period + 1)


def skip_absence(context: Context, subscription: Subscription, now: int) -> None:
    """We did not listen until ``now``: untouched periods in between are one row."""
    wake(context, subscription, now)
    if subscription.first_index is None or not subscription.live:
        return
    while (passed := _passed(subscription, now)) > 0:
        index = subscription.next_index
        begun = [one for one in subscription.periods if one >= index]
        empty = min(passed, min(begun, default=index + passed) - index)
        if empty > 1:
            last = index + empty - 1
            _say_range(context, subscription, last, deadline_of(subscription, last))
            subscription.quiet = 0
        else:
            _close_one(context, subscription, deadline_of(subscription, index))
            subscription.range_from = None
    settle(context, now)
    schedule(context, subscription, now)


# --------------------------------------------------------------------------- end
def close_all(
    context: Context, subscription: Subscription, now: int, reason: NotJudgedReason
) -> None:
    """An end: every open period that has begun is COMPLETE or not judged."""
    wake(context, subscription, now)
    if subscription.first_index is None:
        return
    for index in range(subscription.next_index, _last_begun(subscription, now) + 1):
        period = subscription.periods.get(index) or fold.open_period(subscription, index)
        period.deadline = deadline_of(subscription, index)
        period.closed = True
        judged = judge(subscription, period, reason)
        if period.row is None or judged != amendments.as_judged(period.row):
            final = judged.outcome is not Outcome.COMPLETE
            amendments.say(context, subscription, period, judged, now, final=final)
        subscription.next_index = index + 1
        subscription.kept.append(index)
        _mark_others(context, subscription, index, recounted=False)
    settle(context, now)
    schedule(context, subscription, now)


def _last_begun(subscription: Subscription, now: int) -> int:
    """The last period that has a record, or whose first record is due."""
    starts = [one.arrivals_from for one in subscription.originators.values() if one.heard]
    tick = nominal(subscription, 0)
    begun = (now - tick - min(starts, default=0)) // subscription.period
    stops = stopping.last_begun(subscription)
    return max([begun if stops is None else min(begun, stops), *subscription.periods])
