"""Everything learned moves when the deadline of a period passes, and at no other moment.

Does: move arcs, lag, usual counts and the learned list; notice subscriptions that nobody declared
and nobody sends.
Does not: say when (``closing``), or how each moves (``fold``, ``expected``, ``contradictions``).
Rules: docs/verdicts.md, "Everything learned" and "Who is expected".
"""

from __future__ import annotations

from collections.abc import Mapping

from collector.core.context import Context
from collector.core.expectation import expected
from collector.core.expectation.deadlines import nominal, refresh
from collector.core.judging import forgetting
from collector.core.memory.state import Subscription
from collector.core.memory.state_parts import Slot
from collector.core.originators import contradictions, life
from collector.core.periods import fold, usual
from collector.model import Provenance


def read_usual_counts(subscription: Subscription, slots: Mapping[str, Slot]) -> bool:
    """Read usual counts afresh; True when one changed.

    Once before the verdict, as things are known now of the periods before, and once after it with
    the period that closed: one that lacks a record must not shake the count it is judged by.
    """
    if not subscription.varies and usual.count_steady(subscription, slots):
        return False
    changed = False
    varies = any(originator.varies for originator in subscription.originators.values())
    if varies != subscription.varies:
        subscription.varies = varies
        for originator in subscription.originators.values():
            originator.recount = True
    for originator in subscription.originators.values():
        if usual.count_usual(originator, slots.get(originator.name)):
            changed = True
    return changed


def learn(
    context: Context, subscription: Subscription, index: int, now: int, changed: bool = False
) -> bool:
    """Everything learned moves here and nowhere else; ``changed``: a usual count did already.

    Returns:
        Whether a usual count or the learned list changed.
    """
    period = subscription.periods.get(index)
    slots = period.slots if period is not None else {}
    counted = {} if expected.suspended(subscription, index) else slots  # it may have been cut off
    changed = read_usual_counts(subscription, counted) or changed
    latest = fold.move_on(subscription)
    newest = subscription.lists[-1].provenance if subscription.lists else None
    if newest is None or newest is Provenance.LEARNED:
        heard = set(slots)
        limit = context.settings.limits.lists
        before = subscription.lists[-1].members if newest else ()
        if expected.learn(subscription, index, heard, now, limit):
            changed = True
            if before:
                life.learned(context, subscription, before, now)
            context.say_subscription(subscription, now)
        _forget_members(context, subscription, index, now)
    elif newest is Provenance.DECLARED:
        healthy = subscription.regular and period is not None and period.plain
        known = subscription.life
        if not healthy or (known is not None and known.is_open):
            contradictions.follow(context, subscription, slots, now)
    if changed or not subscription.regular:
        refresh(subscription)
    else:
        subscription.arc_end = latest
    if changed:
        for one in subscription.periods.values():
            one.short = -1
    return changed


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
    forgetting.retire(context, subscription, now)
    subscription.ended = nominal(subscription, index)
    subscription.state, subscription.reason, subscription.until = "ended", "forgotten", now
    context.say_subscription(subscription, now)
