"""The stop-time of a subscription, when the publisher says nothing of it.

Does: say when one has ended by its terms. Does not: end it (``endings``).
Rules: a publisher need not announce that a dynamic subscription reached its stop-time (RFC 8639
§2.7.3, subscription-completed is of the feature ``configured``); records that would come at or
after it are not owed. Where no period has a deadline it is waited for a little.
"""

from __future__ import annotations

from collector.core.expectation.deadlines import nominal
from collector.core.memory.state import Subscription
from collector.model import SECOND, CollectorTime

STOP_WAIT = 5 * SECOND
"""After the stop-time, for what is on its way and for clocks that differ (ours)."""


def stop_due(subscription: Subscription) -> CollectorTime | None:
    """When a subscription without a deadline is over; None: by its terms never."""
    stop = subscription.terms.stop_time if subscription.live else None
    return None if stop is None else CollectorTime(stop + STOP_WAIT)


def has_passed(subscription: Subscription, now: int) -> bool:
    """At a deadline: is what it waits for no longer owed?"""
    stop = subscription.terms.stop_time
    if stop is None:
        return False
    if not subscription.period or subscription.first_index is None:
        return now >= stop + STOP_WAIT
    latest = [one.times_to for one in subscription.originators.values() if one.heard]
    return nominal(subscription, subscription.next_index) + max(latest, default=0) >= stop


def last_begun(subscription: Subscription) -> int | None:
    """The last period whose first record could come before the stop-time; None: there is none."""
    stop = subscription.terms.stop_time
    if stop is None:
        return None
    starts = [one.times_from for one in subscription.originators.values() if one.heard]
    return (stop - nominal(subscription, 0) - min(starts, default=0)) // subscription.period
