"""What the keys of subscriptions that are configured on devices, and of their receivers, mean
together.

Does: check. Does not: look at the network. Rules: as ``checks``.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree

from collector.config.reading import Faults
from collector.config.subscription_checks import check_unique
from collector.config.subscriptions import ReceiverInstanceSettings, SubscriptionSettings

DYNAMIC_ONLY = (
    "stop_after_seconds", "replay_start_time", "replay_seconds", "accept_hints",
)  # fmt: skip
"""What is settled with a device when it is asked, so that a configured one cannot have it."""


def check_configured(
    subscriptions: tuple[SubscriptionSettings, ...],
    instances: tuple[ReceiverInstanceSettings, ...],
    looks: bool,
    faults: Faults,
) -> None:
    """``configured_id``, ``receivers`` and every ``[[receiver_instance]]``; ``looks``: whether
    devices are asked for their ``/subscriptions`` now and then."""
    check_unique("receiver_instance", [one.name for one in instances], faults)
    for number, one in enumerate(instances, 1):
        _check_instance(one, faults, f"receiver_instance[{number}]")
    by_name = {one.name: one for one in instances}
    for number, subscription in enumerate(subscriptions, 1):
        _check_subscription(subscription, by_name, faults, f"subscription[{number}]")
        if subscription.configured_restore and not looks:
            text = "without looks into /subscriptions nobody finds a loss"
            key = f"subscription[{number}].configured_restore"
            faults.add(key, text, "interval_seconds in [cross_check]")
    _check_ids(subscriptions, faults)


def _check_instance(one: ReceiverInstanceSettings, faults: Faults, key: str) -> None:
    if one.spelling != "auto" and not one.spelling.startswith(one.transport):
        faults.add(f"{key}.spelling", f"{one.spelling} is not of {one.transport}", '"auto"')
    if one.tls_parameters is None:
        return
    if not one.tls:
        faults.add(f"{key}.tls_parameters", "they have no meaning without tls", "tls = true")
    try:
        ElementTree.fromstring(f"<tls>{one.tls_parameters}</tls>")  # noqa: S314 - the operator's own text
    except ElementTree.ParseError as error:
        faults.add(f"{key}.tls_parameters", f"not well-formed XML ({error})")


def _check_subscription(
    one: SubscriptionSettings,
    instances: Mapping[str, ReceiverInstanceSettings],
    faults: Faults,
    key: str,
) -> None:
    if one.configured_id is None:
        for name in ("receivers", "configured_replay", "configured_restore"):
            if getattr(one, name):
                text = "only what is configured on a device has it"
                faults.add(f"{key}.{name}", text, "configured_id")
        return
    if one.configured_replay and one.stream is None:
        text = "only what a stream kept can be sent again (RFC 8639 §2.5.6)"
        faults.add(f"{key}.configured_replay", text, "a stream")
    known = ", ".join(list(instances)[:10]) or "no [[receiver_instance]] yet"
    if not one.receivers:
        faults.add(f"{key}.receivers", "nobody would get it", known)
    for name in one.receivers:
        if name not in instances:
            faults.add(f"{key}.receivers", f'no receiver instance is called "{name}"', known)
    transports = {instances[name].transport for name in one.receivers if name in instances}
    if len(transports) > 1:
        text = "a subscription has one transport for all of its receivers (RFC 8639 §2.5)"
        faults.add(f"{key}.receivers", text, "receivers of one transport")
    if one.transport == "netconf":
        faults.add(f"{key}.transport", "nobody's session is there to push on", '"any"')
    encodings = {"udp-notif": ("encode-json", "encode-xml", "encode-cbor")}
    for transport in transports:
        possible = encodings.get(transport, ("encode-json", "encode-xml"))
        if ":" not in one.asked_encoding and one.asked_encoding not in possible:
            text = f"{one.asked_encoding} does not go over {transport}"
            faults.add(f"{key}.encoding", text, ", ".join(possible))
    for name in DYNAMIC_ONLY:
        if getattr(one, name):
            text = "it is settled when a device is asked, which a configured one never is"
            faults.add(f"{key}.{name}", text, "neither")


def _check_ids(subscriptions: tuple[SubscriptionSettings, ...], faults: Faults) -> None:
    first: dict[int, list[tuple[int, SubscriptionSettings]]] = {}
    for number, one in enumerate(subscriptions, 1):
        if one.configured_id is None:
            continue
        for before, other in first.get(one.configured_id, ()):
            if _share_a_device(one, other):
                faults.add(
                    f"subscription[{number}].configured_id",
                    f"{one.configured_id} is that of subscription[{before}] on the same device",
                )
        first.setdefault(one.configured_id, []).append((number, one))


def _share_a_device(one: SubscriptionSettings, other: SubscriptionSettings) -> bool:
    return "*" in one.devices + other.devices or not set(one.devices).isdisjoint(other.devices)
