"""What the keys of a ``[[subscription]]`` and a ``[[known_subscription]]`` mean together.

Does: check. Does not: look at the network or a clock. Rules: as ``checks``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from xml.etree import ElementTree

from collector.config.reading import Faults
from collector.config.settings import DeviceSettings
from collector.config.subscriptions import KnownSubscriptionSettings, SubscriptionSettings


def check_subscriptions(
    subscriptions: tuple[SubscriptionSettings, ...],
    devices: tuple[DeviceSettings, ...],
    faults: Faults,
) -> None:
    check_unique("subscription", [s.name for s in subscriptions], faults)
    by_name = {device.name: device for device in devices}
    for number, subscription in enumerate(subscriptions, 1):
        key = f"subscription[{number}]"
        _check_devices(subscription, by_name, faults, key)
        _check_filter(subscription, faults, key)
        if subscription.transport == "netconf" and subscription.asked_encoding != "encode-xml":
            text = (
                f"{subscription.encoding} does not go over a NETCONF session (RFC 8640, section 6)"
            )
            faults.add(f"{key}.encoding", text, "encode-xml")
        _check_period(subscription.period_seconds, faults, key)
        if not _is_anchor(subscription.anchor):
            faults.add(
                f"{key}.anchor",
                f'"{subscription.anchor}" cannot be used',
                '"auto" or an RFC 3339 time with zone, as 2026-01-01T00:00:00Z',
            )


def check_known(known: tuple[KnownSubscriptionSettings, ...], faults: Faults) -> None:
    first: dict[tuple[str, int | str | None], int] = {}
    for number, one in enumerate(known, 1):
        if (one.id is None) == (one.label is None):
            text = "it is known by an id or by a label"
            faults.add(f"known_subscription[{number}].id", text, "one of them")
            continue
        if one.period_seconds is not None:
            _check_period(one.period_seconds, faults, f"known_subscription[{number}]")
        for device in one.devices:
            before = first.setdefault((device, one.label or one.id), number)
            if before != number:
                key, told = ("label", one.label) if one.label else ("id", one.id)
                faults.add(
                    f"known_subscription[{number}].{key}",
                    f"{key} {told} of {device} is in known_subscription[{before}] already",
                )


def _check_period(seconds: float, faults: Faults, key: str) -> None:
    if abs(seconds * 100 - round(seconds * 100)) > 1e-6:
        faults.add(f"{key}.period_seconds", "periods go in steps of 0.01 s (RFC 8641 §4.2)")


def _check_devices(
    subscription: SubscriptionSettings,
    devices: Mapping[str, DeviceSettings],
    faults: Faults,
    key: str,
) -> None:
    for name in subscription.devices:
        if name == "*":
            continue
        device = devices.get(name)
        if device is None:
            known = ", ".join(list(devices)[:10]) or "no [[device]] yet"
            faults.add(f"{key}.devices", f'no device is called "{name}"', f'"*", {known}')
        elif device.netconf is None:
            faults.add(f"{key}.devices", f"device {name} has no [device.netconf] to subscribe over")


def _check_filter(subscription: SubscriptionSettings, faults: Faults, key: str) -> None:
    if (subscription.xpath is None) == (subscription.subtree is None):
        faults.add(key, "what to subscribe to", "either xpath or subtree")
    elif subscription.xpath is not None and not subscription.xpath.lstrip().startswith(("/", "(")):
        faults.add(
            f"{key}.xpath", f'"{subscription.xpath}" does not start at the root', "/module:node/.."
        )
    elif subscription.subtree is not None:
        try:
            ElementTree.fromstring(f"<filter>{subscription.subtree}</filter>")  # noqa: S314
        except ElementTree.ParseError as error:
            faults.add(f"{key}.subtree", f"not well-formed XML ({error})")


def _is_anchor(text: str) -> bool:
    if text == "auto":
        return True
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def check_unique(section: str, names: list[str], faults: Faults) -> None:
    first: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if first.setdefault(name, number) != number:
            faults.add(
                f"{section}[{number}].name",
                f'"{name}" is taken by {section}[{first[name]}] already',
            )
