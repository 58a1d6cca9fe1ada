"""What one device is to have configured, out of the configuration of the collector.

Does not: know what the device has (``plan`` compares). Pure functions.
"""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import replace

from collector.config import Config, SubscriptionSettings
from collector.config.subscriptions import ReceiverInstanceSettings
from collector.model import DeviceTime
from collector.subscriber.asked import anchor_offset
from collector.subscriber.configured.plan import WantedConfigured
from collector.subscriber.wanted import terms_from
from collector.wire.subscriptions.receiver_instances import ReceiverInstance

_ANCHOR_FROM = 1_735_689_600_000_000_000
"""2025-01-01 as an anchor is understood by every device, and it stays the same (ours)."""


class WantedConfiguration(Struct, frozen=True):
    """What one device is to have."""

    instances: tuple[ReceiverInstance, ...] = ()
    """All of ours; those that a subscription uses come first."""
    subscriptions: tuple[WantedConfigured, ...] = ()


def configured_on(
    config: Config, device: str, only: Collection[str] | None = None
) -> WantedConfiguration:
    """What the configuration wants to have configured on a device; ``only``: these, by name."""
    known = {one.name: one for one in config.receiver_instances}
    reached = [one.name for one in config.devices if one.netconf is not None]
    wanted = [
        one
        for one in config.subscriptions
        if one.configured_id is not None and ("*" in one.devices or device in one.devices)
    ]
    ids = {one.name: one.configured_id for one in wanted}
    subscriptions = tuple(
        _wanted(one, known, ids, device, len(reached))
        for one in wanted
        if only is None or one.name in only
    )
    used = [name for one in wanted for name in one.receivers]
    instances = (known[name] for name in dict.fromkeys((*used, *known)))
    return WantedConfiguration(tuple(_instance(one) for one in instances), subscriptions)


def _wanted(
    one: SubscriptionSettings,
    instances: dict[str, ReceiverInstanceSettings],
    ids: dict[str, int | None],
    device: str,
    devices: int,
) -> WantedConfigured:
    assert one.configured_id is not None
    terms = terms_from(one, ids)
    anchor = terms.anchor_time
    if terms.period is not None and anchor is None:
        offset = anchor_offset(device, terms.period, devices)
        anchor = DeviceTime(-(-_ANCHOR_FROM // terms.period) * terms.period + offset)
    transport = instances[one.receivers[0]].transport
    return WantedConfigured(
        one.name,
        one.configured_id,
        replace(terms, anchor_time=anchor, transport=transport),
        one.receivers,
        replay=one.configured_replay,
        any_anchor=one.anchor == "auto",
    )


def _instance(one: ReceiverInstanceSettings) -> ReceiverInstance:
    https = one.transport == "https"
    return ReceiverInstance(
        one.name,
        one.transport,
        one.address,
        one.port,
        path=one.path if https else "",
        secure=one.tls,
        tls=one.tls_parameters or "",
        enable_segmentation=https or one.enable_segmentation,
        max_segment_size=None if https else one.max_segment_size,
        spelling="" if one.spelling == "auto" else one.spelling,
    )
