"""What is wanted of which device, and the terms that are really asked for.

What it does: values, the way from the configuration to them, the anchor of the periods. What it
does not: talk to a device (``runner``). Pure functions; times are handed in.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from collector.config import Config, NetconfSettings, SubscriptionSettings
from collector.errors import ProtocolError
from collector.model import (
    SECOND,
    CollectorTime,
    DeviceTime,
    SelectionFilter,
    SubscriptionTerms,
)
from collector.subscriber.session import SessionSettings, settings_from

ANCHOR_LEAD = 2 * SECOND
"""An anchor lies at least so far ahead, so that the request arrives before it (ours)."""
SPREAD_ABOVE = 50
"""Up to so many devices share the same ticks; more get an offset each, lest all of them push in
the same instant (ours)."""
ENCODE_XML = "encode-xml"

HEALING_TAGS = frozenset(
    {"in-use", "lock-denied", "resource-denied", "operation-failed", "partial-operation"}
)
"""error-tags (RFC 6241 §A) after which the same request may succeed later."""


class WantedSubscription(Struct, frozen=True):
    """One subscription of one device."""

    name: str
    """Name in the configuration, the same on every device; the series key for people."""
    device: str
    terms: SubscriptionTerms
    expect: tuple[str, ...] | None = None
    """Generators that the operator configured; passed through, not used here."""


class DeviceAccess(Struct, frozen=True):
    """How to reach one device."""

    name: str
    settings: SessionSettings
    session: str = "asyncssh"
    """Which implementation: ``asyncssh`` or ``ncclient``."""


def wanted_from(config: Config) -> tuple[tuple[DeviceAccess, ...], tuple[WantedSubscription, ...]]:
    """Devices with a management session, and what is wanted of each of them."""
    sessions = {
        device.name: device.netconf for device in config.devices if device.netconf is not None
    }
    wanted = tuple(
        WantedSubscription(subscription.name, name, terms, subscription.expect or None)
        for subscription in config.subscriptions
        for terms, devices in ((terms_from(subscription), frozenset(subscription.devices)),)
        for name in sessions
        if "*" in devices or name in devices
    )
    return tuple(_access(name, netconf) for name, netconf in sessions.items()), wanted


def _access(name: str, netconf: NetconfSettings) -> DeviceAccess:
    return DeviceAccess(name, settings_from(netconf, name), netconf.session)


def terms_from(subscription: SubscriptionSettings) -> SubscriptionTerms:
    """The terms as the configuration says them; the anchor may still be open."""
    if subscription.xpath is not None:
        selection = SelectionFilter("xpath", subscription.xpath, subscription.namespaces)
    else:
        selection = SelectionFilter("subtree", subscription.subtree or "")
    return SubscriptionTerms(
        datastore=subscription.datastore,
        selection_filter=selection,
        period=subscription.period,
        anchor_time=subscription.anchor_time,
        encoding=subscription.asked_encoding,
    )


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

    The tick is meant in UTC, the scale that both clocks follow; only a device whose clock is wrong
    sees it elsewhere, and an anchor may lie before or after anything (RFC 8641 §4.2).
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


def can_modify(old: SubscriptionTerms, new: SubscriptionTerms) -> bool:
    """True where modify-subscription can lead from ``old`` to ``new`` (RFC 8641 §4.4.2).

    Filter, period, anchor and stop-time may change; from periodic to on-change, or another
    datastore, stream or encoding, needs a new subscription.
    """
    if (old.period is None) != (new.period is None):
        return False
    return new == replace(
        old,
        selection_filter=new.selection_filter,
        period=new.period,
        anchor_time=new.anchor_time,
        stop_time=new.stop_time,
    )


def can_heal(error: ProtocolError) -> bool:
    """True where the same request may succeed later without a change on our side.

    ``insufficient-resources`` is a matter of time; an unsupported period or filter is not.
    """
    if error.identity:
        return error.identity == "insufficient-resources"
    return error.tag in HEALING_TAGS


def by_device(wanted: Iterable[WantedSubscription]) -> dict[str, dict[str, WantedSubscription]]:
    """device -> name -> what is wanted."""
    table: dict[str, dict[str, WantedSubscription]] = {}
    for one in wanted:
        table.setdefault(one.device, {})[one.name] = one
    return table
