"""The end of a revision, and room for another one: what bounds the table of subscriptions.

Does: end a revision, date an end or a change, forget what is over, and decide whether a start that
only the device tells of can be taken.
Does not: begin anything (``registry``).
Rules: docs/verdicts.md, "First and last"; every table has a limit, and what it refuses is
counted (``Device.fell_off``). What we asked for ourselves is never refused or given up.
"""

from __future__ import annotations

from collector.core.context import Context
from collector.core.judging import forgetting
from collector.core.memory.clocks import median, on_their_clock
from collector.core.memory.state import Device, Subscription
from collector.core.periods import closing
from collector.model import CollectorTime, NotJudgedReason

SECOND_10 = 10_000_000_000
"""An event time further from its arrival than this (or a period) does not date a change."""
QUIET_PERIODS = 16
"""A subscription without any record for so many periods makes room for another (ours)."""


def when(subscription: Subscription, arrival: int, event_time: int | None) -> int:
    """Moment of a change by the publisher's clock."""
    lags = [one.lag for one in subscription.originators.values() if one.heard]
    by_arrival = on_their_clock(CollectorTime(arrival), median(lags) or 0)
    believed = max(subscription.period, SECOND_10)
    if event_time is not None and abs(event_time - by_arrival) <= believed:
        return event_time
    return by_arrival


def end(
    context: Context, one: Subscription, arrival: int, reason: str, word: NotJudgedReason
) -> None:
    """A revision is over, without a notification that says so."""
    if one.live:
        finish(context, one, arrival, None, reason, word)
        context.say_subscription(one, arrival)


def finish(
    context: Context, one: Subscription, arrival: int, event_time: int | None, reason: str,
    word: NotJudgedReason,
) -> None:  # fmt: skip
    """A live revision is over: ``event_time`` says when, if the device does."""
    closing.close_all(context, one, arrival, word)
    one.ended = when(one, arrival, event_time)
    forgetting.retire(context, one, arrival)
    one.state, one.reason, one.until = "ended", reason, arrival


def forget_speakers(device: Device, before: Subscription) -> None:
    """Its originators no longer speak in any counter."""
    for counter in device.counters.values():
        left = tuple(one for one in counter.originators if one.subscription is not before)
        if len(left) != len(counter.originators):
            counter.originators = left


def has_room(context: Context, device: Device, arrival: int) -> bool:
    """May a subscription be begun that only the device tells of? At the limit one that never sent
    anything, or nothing for long, is given up for it; where all are alive it is refused."""
    held = device.subscriptions.values()
    if len(held) < limit_of(context) or any(not one.live for one in held):
        return True
    told = [one for one in held if one.origin != "dynamic"]
    unheard = [one for one in told if one.first_index is None]
    quiet = [one for one in told if one.quiet >= QUIET_PERIODS]
    if not unheard and not quiet:
        device.count_refused("subscriptions")
        return False
    least = (
        min(unheard, key=lambda one: one.revision)
        if unheard
        else max(quiet, key=lambda one: one.quiet)
    )
    end(context, least, arrival, "forgotten", NotJudgedReason.ENDED)
    return True


def make_room(context: Context, device: Device) -> None:
    """Above the limit the oldest revision that is over is forgotten."""
    if len(device.subscriptions) <= limit_of(context):
        return
    over = [one for one in device.subscriptions.values() if not one.live]
    if over:
        oldest = min(over, key=lambda one: one.revision)
        forget_speakers(device, oldest)
        del device.subscriptions[oldest.id]
        device.aliases = {key: to for key, to in device.aliases.items() if to != oldest.id}
        device.count_refused("subscriptions")


def limit_of(context: Context) -> int:
    """Subscriptions that one device may have in the table, 1 or more."""
    return context.settings.limits.subscriptions_per_device
