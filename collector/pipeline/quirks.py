"""Which switches of which devices were needed, for people: what receivers and the engine counted.

Does: put the counts together, by device. Does not: count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from collector.config import Config
from collector.model import Quirk
from collector.pipeline.settings import senders
from collector.receivers.datagrams.quirks import QuirksNeeded

Needed = dict[tuple[str, str, str], int]
"""Device, or sender of none; switch; ``set`` or ``unset`` -> datagrams (publisher ids)."""
_PER_SUBSCRIPTION = Quirk.IDS_PER_SUBSCRIPTION


def quirks_needed(
    config: Config, counted: Iterable[QuirksNeeded], per_subscription: Mapping[str, int]
) -> Needed:
    """All counts.

    Args:
        config: says who belongs to which device, and what is set.
        counted: by receivers.
        per_subscription: device -> publisher ids whose Message IDs count per subscription.
    """
    owners = {name: device.name for device in config.devices for name in senders(device)}
    total: Needed = {}
    for one in counted:
        for sender, quirk, is_on, number in one.items():
            address, _, certificate = sender.partition(" ")
            owner = owners.get(certificate.lower()) or owners.get(address)
            key = owner or certificate or address, str(quirk), "set" if is_on else "unset"
            total[key] = total.get(key, 0) + number
    told = {device.name for device in config.devices if _PER_SUBSCRIPTION in device.quirks}
    for name, number in per_subscription.items():
        total[name, str(_PER_SUBSCRIPTION), "set" if name in told else "unset"] = number
    return total


def in_words(needed: Iterable[tuple[tuple[str, ...], int]]) -> dict[str, int]:
    """Items of ``Needed`` as ``core7 legacy-header (unset)`` -> number."""
    return {f"{device} {quirk} ({state})": number for (device, quirk, state), number in needed}
