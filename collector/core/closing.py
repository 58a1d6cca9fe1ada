"""A period closes: at once when nothing is missing, else at its deadline; then learning moves.

Does: first verdicts, the moment of learning, silence as ranges, the end of all open periods.
Does not: judge (``judge``) or amend (``amendments``).
Rules: architecture, section 3, "When", "Everything learned", "First and last".
"""

from __future__ import annotations

from collections.abc import Mapping

from collector.core import amendments, arcs, expected, fold, gaps
from collector.core.context import Context
from collector.core.deadlines import (
    STARTING_PERIODS,
    amendable,
    deadline_of,
    nominal,
    refresh,
)
from collector.core.judge import Judged, judge
from collector.core.state import Hole, ListInForce, Period, Slot, Subscription
from collector.model import (
    SECOND,
    NotJudgedReason,
    Outcome,
    Provenance,
)

SINGLE_SILENCES = gaps.SHARPEN_PERIODS
"""Silent periods that are said one by one before they are said as ranges (ours)."""
LONGEST_RANGE = 86_400 * SECOND
KEPT_SILENCES = 8
NEVER = -(1 << 62)
CONTRADICTIONS = 5
"""A declared list that the data contradicts for so many periods running is an event."""


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
        usual = originator.usual
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
        changed = _read_usual_counts(subscription, {})  # from the periods before: see there
        judged = judge(subscription, period)
        if period.row is None or judged != amendments.as_judged(period.row):
            amendments.say(context, subscription, period, judged, now)
    amendments.expect_final(context, subscription, period)
    _learn(context, subscription, index, now, changed)
    subscription.next_index = index + 1
    subscription.kept.append(index)
    _forget_old(context, subscription, now)
    if subscription.quiet >= SINGLE_SILENCES:
        _next_range(subscription)


def _read_usual_counts(subscription: Subscription, slots: Mapping[str, Slot]) -> bool:
    """Read usual counts afresh; True when one changed.

    Once before the verdict, as things are known now of the periods before, and once after it with
    the period that closed: one that lacks a record must not shake the count it is judged by.
    """
    changed = False
    for originator in subscription.originators.values():
        if fold.count_usual(originator, slots.get(originator.name)):
            changed = True
    return changed


def _learn(
    context: Context, subscription: Subscription, index: int, now: int, changed: bool = False
) -> None:
    """Everything learned moves here and nowhere else; ``changed``: a usual count did already."""
    period = subscription.periods.get(index)
    slots = period.slots if period is not None else {}
    changed = _read_usual_counts(subscription, slots) or changed
    latest, offset, length = NEVER, subscription.offset or 0, subscription.period
    for originator in subscription.originators.values():
        if originator.fresh:
            fold.moved_on(originator, offset, length)
        if originator.member and originator.arrivals_to > latest:
            latest = originator.arrivals_to
    newest = subscription.lists[-1].provenance if subscription.lists else None
    if newest is None or newest is Provenance.LEARNED:
        heard = set(slots)
        limit = context.settings.limits.lists
        if expected.learn(subscription, index, heard, now, limit):
            changed = True
            context.say_subscription(subscription, now)
        _forget_members(context, subscription, index, now)
    elif newest is Provenance.DECLARED:
        if subscription.regular and period is not None and period.plain:
            subscription.contradicted = 0
        else:
            _look_for_contradiction(context, subscription, slots, now)
    if changed or not subscription.regular:
        refresh(subscription)
    else:
        subscription.arc_end = latest
    if changed:
        for one in subscription.periods.values():
            one.short = -1


def _forget_members(context: Context, subscription: Subscription, index: int, now: int) -> None:
    limit = context.settings.limits.lists
    after = context.settings.forget_after
    gone = expected.forget(subscription, index, now, after, limit)
    for name in gone:
        context.event(
            now, subscription.device, name, "forgotten",
            f"{name} stayed away from {subscription.name} for so long that it is not expected.",
        )  # fmt: skip
    if gone:
        context.say_subscription(subscription, now)
    silent = subscription.quiet * subscription.period
    if silent > after and subscription.origin == "configured":
        _give_up(context, subscription, index, now)


def _give_up(context: Context, subscription: Subscription, index: int, now: int) -> None:
    """Nobody declared it and nobody has sent for so long: it is over until data comes again."""
    retire(context, subscription, now)
    subscription.ended = nominal(subscription, index)
    subscription.state, subscription.reason, subscription.until = "ended", "forgotten", now
    context.say_subscription(subscription, now)


def _look_for_contradiction(
    context: Context, subscription: Subscription, slots: Mapping[str, Slot], now: int
) -> None:
    """A declared generator that never sent, or a sender that was never declared?"""
    declared = subscription.lists[-1].allowed
    never = [
        name for name in subscription.lists[-1].members
        if (one := subscription.originators.get(name)) is None or one.first_index is None
    ]  # fmt: skip
    strangers = [name for name in slots if name not in declared]
    if not (never or strangers) or subscription.quiet:
        subscription.contradicted = 0
        return
    subscription.contradicted += 1
    if subscription.contradicted < CONTRADICTIONS or subscription.contradiction_said:
        return
    subscription.contradiction_said = True
    told = [f"{name} never sends" for name in sorted(never)]
    told += [f"{name} sends and is not declared" for name in sorted(strangers)]
    context.event(
        now, subscription.device, subscription.name, "list_contradicts_data",
        f"The declared list contradicts the data of {CONTRADICTIONS} periods: {', '.join(told)}.",
    )  # fmt: skip


def schedule(context: Context, subscription: Subscription, now: int) -> None:
    """Enter when the oldest open period closes: never before ``now``, whatever a new list says."""
    due = _due(subscription)
    context.deadlines.close_at(subscription, None if due is None else max(due, now))


def _due(subscription: Subscription) -> int | None:
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
    return subscription.range_from + min(subscription.quiet, longest) - 1


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
    _learn(context, subscription, last, now)
    subscription.next_index = last + 1
    _forget_old(context, subscription, now)


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
    schedule(context, subscription, now)


def _last_begun(subscription: Subscription, now: int) -> int:
    """The last period that has a record, or whose first record is due."""
    starts = [one.arrivals_from for one in subscription.originators.values() if one.heard]
    tick = nominal(subscription, 0)
    begun = (now - tick - min(starts, default=0)) // subscription.period
    return max([begun, *subscription.periods])


def retire(context: Context, subscription: Subscription, now: int) -> None:
    """A revision is over: what could still change is final, what was learned is kept."""
    for index in sorted(subscription.periods):
        period = subscription.periods[index]
        if period.final_due is not None:
            amendments.finalise(context, subscription, period, now)
    subscription.live = False
    context.deadlines.close_at(subscription, None)
    for index in sorted(subscription.periods):
        _drop(context, subscription, index, now)
    subscription.kept.clear()


# --------------------------------------------------------------------------- forgetting
def _forget_old(context: Context, subscription: Subscription, now: int) -> None:
    """Drop what can no longer change: COMPLETE when amendable no more, else after 64 periods."""
    kept = subscription.kept
    patience = amendable(subscription.period)
    while kept:
        period = subscription.periods.get(kept[0])
        if period is not None:
            complete = period.row is not None and period.row.outcome is Outcome.COMPLETE
            young = now <= period.deadline + patience
            sharpening = subscription.next_index - period.index <= gaps.SHARPEN_PERIODS
            if young or (sharpening and not complete):
                return
            _drop(context, subscription, period.index, now)
        kept.popleft()


def _drop(context: Context, subscription: Subscription, index: int, now: int) -> None:
    del subscription.periods[index]
    if not subscription.marks:
        return
    for originator in subscription.originators.values():
        if index in originator.slipped:
            originator.slipped.discard(index)
            subscription.marks -= 1
        subscription.marks -= len(originator.restarts.pop(index, ()))
        holes = originator.holes.pop(index, ())
        subscription.marks -= len(holes)
        for hole in holes:
            originator.recount = True
            hole.blamed -= 1
            if hole.blamed == 0:
                _close_hole(context, subscription, hole, now)


def _close_hole(context: Context, subscription: Subscription, hole: Hole, now: int) -> None:
    """Nobody can be blamed any more."""
    missing = gaps.open_ids(hole)
    if hole in hole.run.holes:
        hole.run.holes.remove(hole)
    if missing and not hole.charged:
        say_unattributed(context, subscription.device, hole, now)


def say_unattributed(context: Context, device: str, hole: Hole, now: int) -> None:
    """Ids are missing that nobody owes."""
    counter = hole.run.counter
    context.event(
        now, device, f"{counter.source} {counter.header_id}", "unattributed_loss",
        f"{gaps.open_ids(hole)} ids from {hole.first_id} on are missing and nobody is short.",
    )  # fmt: skip
