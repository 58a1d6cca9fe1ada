"""What the keys of a ``[[subscription]]`` and a ``[[known_subscription]]`` mean together.

Does: check. Does not: look at the network or a clock. Rules: as ``checks``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree

from collector.config.reading import Faults
from collector.config.settings import DeviceSettings
from collector.config.subscriptions import KnownSubscriptionSettings, SubscriptionSettings, moment
from collector.model import DeviceTime

ENCODINGS = ("encode-json", "encode-xml", "encode-cbor", "encode-gpb")
"""That need no module to be named."""
_IDENTITY = re.compile(r"[A-Za-z_][\w.-]*:[A-Za-z_][\w.-]*", re.ASCII)


def check_subscriptions(
    subscriptions: tuple[SubscriptionSettings, ...],
    devices: tuple[DeviceSettings, ...],
    faults: Faults,
) -> None:
    """Every ``[[subscription]]``, and all of them together."""
    check_unique("subscription", [s.name for s in subscriptions], faults)
    by_name = {device.name: device for device in devices}
    for number, subscription in enumerate(subscriptions, 1):
        key = f"subscription[{number}]"
        _check_devices(subscription, by_name, faults, key)
        _check_target(subscription, faults, key)
        _check_filter(subscription, faults, key)
        _check_trigger(subscription, faults, key)
        _check_times(subscription, faults, key)
        _check_encoding(subscription, faults, key)
    _check_dependencies(subscriptions, faults)
    _check_marks(subscriptions, faults)


# --------------------------------------------------------------------------- one subscription
def _check_encoding(one: SubscriptionSettings, faults: Faults, key: str) -> None:
    asked = one.asked_encoding
    module, _, identity = asked.rpartition(":")
    if one.transport == "netconf" and asked != "encode-xml":
        text = f"{asked} does not go over a NETCONF session (RFC 8640, section 6)"
        faults.add(f"{key}.encoding", text, "encode-xml")
    if asked not in ENCODINGS and _IDENTITY.fullmatch(asked) is None:
        allowed = f'{", ".join(ENCODINGS)}, or "module:identity"'
        faults.add(f"{key}.encoding", f"{asked} is no encoding that is known", allowed)
    elif module and module not in one.namespaces and not module.startswith(("ietf-", "iana-")):
        text = f"the namespace of {module}, whose {identity} is asked for, is not known"
        faults.add(f"{key}.namespaces", text, f'{module} = "its URI"')


def _check_target(one: SubscriptionSettings, faults: Faults, key: str) -> None:
    if one.stream is None:
        for name in ("replay_start_time", "replay_seconds"):
            if getattr(one, name) is not None:
                text = "only what a stream kept can be sent again (RFC 8639 §2.4.2.1)"
                faults.add(f"{key}.{name}", text, "a stream")
    elif one.datastore is not None:
        text = "a subscription is either to a stream or to a datastore"
        faults.add(f"{key}.datastore", text, "one of them")


def _check_trigger(one: SubscriptionSettings, faults: Faults, key: str) -> None:
    """When something is sent: each period, on a change, or as the events of a stream come."""
    if one.period_seconds is not None:
        _check_steps(one.period_seconds, faults, f"{key}.period_seconds")
    _check_steps(one.dampening_seconds, faults, f"{key}.dampening_seconds")
    if one.stream is not None:
        if one.period_seconds is not None:
            faults.add(f"{key}.period_seconds", "the events of a stream have no period")
        if one.on_change:
            faults.add(f"{key}.on_change", "the events of a stream are no changes")
    elif one.period_seconds is not None and one.on_change:
        text = "updates come either each period or on a change (RFC 8641 §3.1)"
        faults.add(f"{key}.on_change", text, "one of them")
    elif one.period_seconds is None and not one.on_change:
        faults.add(
            f"{key}.period_seconds", "when updates are sent", "a number, or on_change = true"
        )
    if not one.on_change:
        for name, default in (
            ("dampening_seconds", 0), ("sync_on_start", True), ("excluded_changes", ())
        ):  # fmt: skip
            if getattr(one, name) != default:
                faults.add(f"{key}.{name}", "it has a meaning on changes only", "on_change = true")
    if one.anchor != "auto":
        if one.period_seconds is None:
            faults.add(f"{key}.anchor", "only periods have an anchor", "period_seconds")
        _time_at(one.anchor, faults, f"{key}.anchor", '"auto" or ')


def _check_times(one: SubscriptionSettings, faults: Faults, key: str) -> None:
    stop = start = None
    if one.stop_time is not None:
        stop = _time_at(one.stop_time, faults, f"{key}.stop_time")
    if one.replay_start_time is not None:
        start = _time_at(one.replay_start_time, faults, f"{key}.replay_start_time")
    if stop is not None and start is not None and stop <= start:
        text = "it ends before what is to be sent again begins (RFC 8639 §2.4.2.1)"
        faults.add(f"{key}.stop_time", text, "a time after replay_start_time")
    if one.stop_time is not None and one.stop_after_seconds is not None:
        faults.add(f"{key}.stop_after_seconds", "it ends at a time or after a while", "one of them")
    if one.stop_after_seconds is None and not one.renew:
        faults.add(f"{key}.renew", "nothing ends that could be prolonged", "stop_after_seconds")
    if one.replay_start_time is not None and one.replay_seconds is not None:
        text = "what is sent again begins at a time or so far back"
        faults.add(f"{key}.replay_seconds", text, "one of them")


def _time_at(text: str, faults: Faults, key: str, also: str = "") -> DeviceTime | None:
    try:
        return moment(text)
    except ValueError:
        allowed = f"{also}an RFC 3339 time with zone, as 2026-01-01T00:00:00Z"
        faults.add(key, f'"{text}" cannot be used', allowed)
        return None


# --------------------------------------------------------------------------- each other
def _check_dependencies(subscriptions: tuple[SubscriptionSettings, ...], faults: Faults) -> None:
    """A dependency is there on every device, and no ring is closed (RFC 8639 §2.3)."""
    by_name = {one.name: one for one in subscriptions}
    for number, one in enumerate(subscriptions, 1):
        key = f"subscription[{number}].dependency"
        if one.dependency is None:
            continue
        first = by_name.get(one.dependency)
        if first is None:
            if not _is_id(one.dependency):
                known = ", ".join(name for name in list(by_name)[:10] if name != one.name)
                text = f'no subscription is called "{one.dependency}"'
                faults.add(key, text, known or "the id of one that is configured on the device")
        elif _depends_on_itself(one, by_name):
            faults.add(key, f"{one.name} would wait for itself", "another subscription")
        elif "*" not in first.devices and not set(one.devices) <= set(first.devices):
            faults.add(key, f"{first.name} is not on all of its devices", "the same devices")


def _depends_on_itself(
    one: SubscriptionSettings, by_name: Mapping[str, SubscriptionSettings]
) -> bool:
    met: set[str] = set()
    at: SubscriptionSettings | None = one
    while at is not None and at.dependency is not None and at.name not in met:
        met.add(at.name)
        if at.dependency == one.name:
            return True
        at = by_name.get(at.dependency)
    return False


def _check_marks(subscriptions: tuple[SubscriptionSettings, ...], faults: Faults) -> None:
    """One TCP connection has one DSCP (RFC 8639 §2.3), and updates on the session share it."""
    first: dict[str, SubscriptionSettings] = {}
    for number, one in enumerate(subscriptions, 1):
        if one.transport != "netconf":
            continue
        met = first if "*" in one.devices else [d for d in (*one.devices, "*") if d in first]
        others = (first[device] for device in met)
        other = next((o for o in others if (o.dscp or 0) != (one.dscp or 0)), None)
        if other is not None:
            text = f"{other.name} is on the same session with dscp {other.dscp or 0}"
            faults.add(f"subscription[{number}].dscp", text, "one for all of a session")
        for device in one.devices:
            first.setdefault(device, one)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text) < 2**32


# --------------------------------------------------------------------------- known elsewhere
def check_known(known: tuple[KnownSubscriptionSettings, ...], faults: Faults) -> None:
    """Each is known by an id or by a label, and no device has two of one id."""
    first: dict[tuple[str, int | str | None], int] = {}
    for number, one in enumerate(known, 1):
        if (one.id is None) == (one.label is None):
            text = "it is known by an id or by a label"
            faults.add(f"known_subscription[{number}].id", text, "one of them")
            continue
        if one.period_seconds is not None:
            _check_steps(one.period_seconds, faults, f"known_subscription[{number}].period_seconds")
        for device in one.devices:
            before = first.setdefault((device, one.label or one.id), number)
            if before != number:
                key, told = ("label", one.label) if one.label else ("id", one.id)
                faults.add(
                    f"known_subscription[{number}].{key}",
                    f"{key} {told} of {device} is in known_subscription[{before}] already",
                )


def _check_steps(seconds: float, faults: Faults, key: str) -> None:
    if abs(seconds * 100 - round(seconds * 100)) > 1e-6:
        faults.add(key, "periods go in steps of 0.01 s (RFC 8641 §4.2)")


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


def _check_filter(one: SubscriptionSettings, faults: Faults, key: str) -> None:
    given = sum(name is not None for name in (one.xpath, one.subtree, one.filter_name))
    if given > 1 or (not given and one.stream is None):
        faults.add(key, "what to subscribe to", "either xpath, subtree or filter_name")
    elif one.xpath is not None and not one.xpath.lstrip().startswith(("/", "(")):
        faults.add(f"{key}.xpath", f'"{one.xpath}" does not start at the root', "/module:node/..")
    elif one.subtree is not None:
        try:
            ElementTree.fromstring(f"<filter>{one.subtree}</filter>")  # noqa: S314 - the operator's own text
        except ElementTree.ParseError as error:
            faults.add(f"{key}.subtree", f"not well-formed XML ({error})")
    of_encoding = {one.asked_encoding.rpartition(":")[0]}
    others = one.namespaces.keys() - of_encoding
    if others and one.xpath is None and (given or one.stream is not None):
        faults.add(f"{key}.namespaces", "only an xpath has prefixes", "xpath")


def check_unique(section: str, names: list[str], faults: Faults) -> None:
    """``names`` of the tables of a section, in order: a second one of a name is a fault."""
    first: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if first.setdefault(name, number) != number:
            faults.add(
                f"{section}[{number}].name",
                f'"{name}" is taken by {section}[{first[name]}] already',
            )
