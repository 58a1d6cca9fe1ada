"""What can no longer change is dropped: periods, the holes blamed on them, revisions that are over.

Does: bound the memory: open periods x originators, and those that may still be amended.
Does not: close or judge.
Rules: docs/verdicts.md, "First verdict and amendments" (how long anything may change) and
"Gaps and suspects" (``unattributed_loss``).
"""

from __future__ import annotations

from collector.core.context import Context
from collector.core.expectation.deadlines import amendable
from collector.core.judging import amendments
from collector.core.memory.state import (
    NOBODY,
    NONE_YET,
    Counter,
    Device,
    Hole,
    Originator,
    Subscription,
)
from collector.core.numbering import gaps
from collector.model import Outcome


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
    subscription.periods, subscription.kept = {}, []  # emptied ones keep the room they had
    subscription.known = subscription.heard_before = NOBODY


def forget_old(context: Context, subscription: Subscription, now: int) -> None:
    """Drop what can no longer change: COMPLETE when amendable no more, else after 64 periods."""
    kept = subscription.kept
    oldest = now - amendable(subscription.period)
    while kept:
        period = subscription.periods.get(kept[0])
        if period is not None:
            if period.deadline >= oldest:
                return
            complete = period.row is not None and period.row.outcome is Outcome.COMPLETE
            if not complete and subscription.next_index - period.index <= gaps.SHARPEN_PERIODS:
                return
            _drop(context, subscription, period.index, now)
        del kept[0]


def _drop(context: Context, subscription: Subscription, index: int, now: int) -> None:
    del subscription.periods[index]
    if not subscription.marks:
        return
    for originator in subscription.originators.values():
        if index in originator.slipped:
            originator.slipped -= {index}
            subscription.marks -= 1
        subscription.marks -= len(originator.restarts.pop(index, ()))
        holes = originator.holes.pop(index, ())
        originator.restarts = originator.restarts or NONE_YET
        originator.holes = originator.holes or NONE_YET
        subscription.marks -= len(holes)
        for hole in holes:
            originator.recount = True
            hole.blamed -= 1
            if hole.blamed == 0:
                _close_hole(context, subscription, hole, now)


def _close_hole(context: Context, subscription: Subscription, hole: Hole, now: int) -> None:
    """Nobody can be blamed any more."""
    missing = gaps.open_ids(hole)
    hole.run.close(hole)
    if missing and not hole.charged:
        say_unattributed(context, subscription.device, hole, now)


def say_unattributed(context: Context, device: str, hole: Hole, now: int) -> None:
    """Ids are missing that nobody owes."""
    counter, missing = hole.run.counter, gaps.open_ids(hole)
    context.event(
        now, device, f"{counter.source} {counter.header_id}", "unattributed_loss",
        f"{missing} {'id is' if missing == 1 else 'ids are'} missing from {hole.first_id} on, and "
        "nobody is short.",
    )  # fmt: skip


def make_room(device: Device, subscription: Subscription, now: int) -> bool:
    """Forget the originator that nobody expects and that has sent nothing for longest, if no period
    that is kept knows it: where cards are replaced for years, each with another id. Looked for once
    a period."""
    if now - subscription.full_at < subscription.period:
        return False
    subscription.full_at = now
    kept = (gaps.SHARPEN_PERIODS + 1) * subscription.period + amendable(subscription.period)
    gone = [
        one for one in subscription.originators.values()
        if not (one.member or one.holes or one.restarts) and one.last_arrival < now - kept
    ]  # fmt: skip
    if not gone:
        return False
    oldest = min(gone, key=lambda one: one.last_arrival)
    del subscription.originators[oldest.name]
    for counter in device.counters.values():
        _let_go(counter, oldest)
    return True


def _let_go(counter: Counter, originator: Originator) -> None:
    if counter.by_header is originator:
        counter.by_header = None
    counter.originators = tuple(one for one in counter.originators if one is not originator)
    for run in (counter.all, *counter.each.values()):
        if run.last_originator is originator:
            run.last_originator = None
