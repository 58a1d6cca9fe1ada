"""The terms that are really asked for: what is wanted, seen from the moment of asking.

What it does: anchor of the periods, stop-time and its renewal, start of a replay, which changes
modify-subscription can carry. What it does not: talk to a device (``dynamic``), read the
configuration (``wanted``). Pure functions; times are handed in.

Times in requests are meant in UTC, the scale that both clocks follow: a device whose clock is wrong
takes them elsewhere, and says so with its refusal.
"""

from __future__ import annotations

import zlib

from msgspec.structs import replace

from collector.model import SECOND, CollectorTime, DeviceTime, OnChange, SubscriptionTerms
from collector.subscriber.wanted import WantedSubscription

ANCHOR_LEAD = 2 * SECOND
"""An anchor lies at least so far ahead, so that the request arrives before it (ours)."""
SPREAD_ABOVE = 50
"""Up to so many devices share the same ticks; more get an offset each, lest all of them push in
the same instant (ours)."""
ENCODE_XML = "encode-xml"
RENEWED_LATEST = 60 * SECOND
"""A subscription is prolonged at the latest so long before it ends, a short one when a fifth of its
time is left (ours)."""
STOP_SLACK = 2 * SECOND
"""A publisher says nothing when a dynamic subscription reaches its stop-time (RFC 8639 §2.7.3); so
long after it we take it as ended (ours)."""
REPLAY_OVERLAP = 5 * SECOND
"""A replay after a break begins so long before it, for what was on its way (ours)."""


def terms_to_ask(
    terms: SubscriptionTerms, device: str, now: CollectorTime, devices: int
) -> SubscriptionTerms:
    """The terms as they go into a request: anchor-time and encoding are always said.

    Without an anchor each publisher starts its periods when it likes (RFC 8641 §4.2), and without
    an encoding that of the request, XML, is meant (RFC 8639 §2.4.2).

    Args:
        terms: as wanted.
        device: spreads the anchors of many devices.
        now: the time of asking.
        devices: how many devices are subscribed to in all.
    """
    encoding = terms.encoding or ENCODE_XML
    anchor = terms.anchor_time
    if terms.period is not None and anchor is None:
        anchor = anchor_after(now, terms.period, anchor_offset(device, terms.period, devices))
    return replace(terms, encoding=encoding, anchor_time=anchor)


def anchor_after(now: CollectorTime, period: int, offset: int = 0) -> DeviceTime:
    """The first multiple of ``period`` since 1970, plus ``offset``, that is far enough ahead.

    Only a device whose clock is wrong sees it elsewhere, and an anchor may lie before or after
    anything (RFC 8641 §4.2).
    """
    earliest = now + ANCHOR_LEAD - offset
    return DeviceTime(-(-earliest // period) * period + offset)


def anchor_offset(device: str, period: int, devices: int) -> int:
    """ns within the period: 0, or for many devices one that stays the same for a name.

    In whole hundredths of a second, the unit of the period itself.
    """
    if devices <= SPREAD_ABOVE:
        return 0
    step = SECOND // 100
    return zlib.crc32(device.encode()) % max(1, period // step) * step


# --------------------------------------------------------------------------- the end, and replays
def stop_time_to_ask(
    wanted: WantedSubscription, now: CollectorTime, first_asked: CollectorTime
) -> DeviceTime | None:
    """The stop-time to ask for now; None: for good.

    Args:
        wanted: what is wanted.
        now: the time of asking.
        first_asked: when it was asked for the first time since it is wanted like this: one that is
            not renewed ends at the same moment however often its session is lost.
    """
    if wanted.stop_after is None:
        return wanted.terms.stop_time
    begin = now if wanted.renew else first_asked
    return DeviceTime(-(-(begin + wanted.stop_after) // SECOND) * SECOND)


def renewal_of(stop_time: DeviceTime, stop_after: int) -> CollectorTime:
    """When a subscription that is wanted for longer is prolonged."""
    return CollectorTime(stop_time - min(stop_after // 5, RENEWED_LATEST))


def replay_to_ask(
    wanted: WantedSubscription, now: CollectorTime, seen_until: CollectorTime | None
) -> DeviceTime | None:
    """The replay-start-time to ask for now; None: no replay.

    Args:
        wanted: what is wanted.
        now: the time of asking.
        seen_until: until when everything was seen by an earlier one; None: there was none, or its
            own replay had not come to an end.
    """
    start: int | None = wanted.terms.replay_start_time
    if wanted.replay_back is not None:
        start = now - wanted.replay_back
    if start is None:
        return None
    if seen_until is not None:
        start = max(start, seen_until - REPLAY_OVERLAP)
    return DeviceTime(start // SECOND * SECOND)


def contradiction(terms: SubscriptionTerms) -> str:
    """Why a device would have to refuse these times, in one sentence; empty: it would not."""
    replay, stop = terms.replay_start_time, terms.stop_time
    if replay is not None and stop is not None and stop <= replay:
        return "stop-time is not after replay-start-time (RFC 8639 §2.4.2.1)"
    return ""


# --------------------------------------------------------------------------- changes
def can_modify(old: SubscriptionTerms, new: SubscriptionTerms) -> bool:
    """True where modify-subscription can lead from ``old`` to ``new`` (RFC 8641 §4.4.2).

    Filter, period, anchor, dampening-period, stop-time and module versions may change. Nothing can
    be taken away, since what is left out stays as it was; from periodic to on-change, or another
    datastore, stream or encoding, needs a new subscription.
    """
    if _taken_away(old, new) or not _same_trigger(old.on_change, new.on_change):
        return False
    return new == replace(
        old,
        selection_filter=new.selection_filter,
        period=new.period,
        anchor_time=new.anchor_time,
        on_change=new.on_change,
        stop_time=new.stop_time,
        replay_start_time=new.replay_start_time,
        module_versions=new.module_versions,
    )


def _taken_away(old: SubscriptionTerms, new: SubscriptionTerms) -> bool:
    if (old.period is None) != (new.period is None):
        return True
    if old.module_versions and not new.module_versions:
        return True
    return any(
        getattr(old, name) is not None and getattr(new, name) is None
        for name in ("selection_filter", "stop_time")
    )


def _same_trigger(old: OnChange | None, new: OnChange | None) -> bool:
    if old is None or new is None:
        return old is new
    return replace(old, dampening_period=new.dampening_period) == new
