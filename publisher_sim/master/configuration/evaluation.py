"""Evaluation: whether the device can do what a configured subscription wants (RFC 8639 §2.5.1).

Does: terms as granted, destinations out of receiver instances. Does not: keep states
(``subscriptions``). Rule: what cannot be done is a ``ProtocolError``, its text the reason why the
subscription is invalid.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from msgspec import Struct, structs

from collector.errors import ProtocolError
from collector.model import DeviceTime
from collector.wire.subscriptions.config import ConfiguredSubscription
from collector.wire.subscriptions.receiver_instances import HTTPS, ReceiverInstance
from publisher_sim.cards.channel import Destination
from publisher_sim.data.selection import EVERYTHING
from publisher_sim.scenario import Scenario
from publisher_sim.scenario.transports import TRANSPORTS
from publisher_sim.sources.events import Streams
from publisher_sim.subscriptions.event_acceptance import accept_stream
from publisher_sim.subscriptions.global_subscription import GlobalSubscription, accept
from publisher_sim.subscriptions.module_versions import check_versions
from publisher_sim.subscriptions.named_filters import NamedFilters

SMALLEST, LARGEST = 64, 65_507
"""Octets of a segment that can be made (udp-notif-26 §7)."""


class Evaluated(Struct, frozen=True):
    """What would be operational."""

    one: GlobalSubscription
    destinations: dict[str, Destination]
    """Receiver -> where it is."""


def evaluate(
    wanted: ConfiguredSubscription,
    instances: Mapping[str, ReceiverInstance],
    scenario: Scenario,
    filters: NamedFilters,
    streams: Streams,
    now: int,
) -> Evaluated:
    """Raises ProtocolError: it is invalid."""
    one = _granted(wanted, scenario, filters, streams, now)
    destinations: dict[str, Destination] = {}
    for receiver in wanted.receivers:
        instance = instances[receiver.instance or ""]
        if instance.transport != wanted.terms.transport:
            raise _invalid(f"{instance.name} is no receiver of {wanted.terms.transport}")
        destinations[receiver.name] = _destination(instance, scenario)
    one.terms = structs.replace(one.terms, transport=wanted.terms.transport)
    return Evaluated(one, destinations)


def _granted(
    wanted: ConfiguredSubscription,
    scenario: Scenario,
    filters: NamedFilters,
    streams: Streams,
    now: int,
) -> GlobalSubscription:
    terms, meant = wanted.terms, filters.meant(wanted.terms)
    check_versions(terms)
    one = GlobalSubscription(wanted.id, "", terms, EVERYTHING, {})
    if terms.selection_filter is not None and terms.selection_filter.kind == "ref":
        one.meant = meant
    if terms.stream is None:
        one.terms, one.selection = accept(terms, scenario, now, filters)
        return one
    written = TRANSPORTS["https-notif" if terms.transport == HTTPS else "udp-notif"].media_types
    found = accept_stream(terms, meant, streams, scenario, now, encodings=tuple(written))
    one.terms, one.event_filter = found.terms, found.event_filter
    stream = streams.get(terms.stream)
    assert stream is not None, "it was accepted"
    one.records_per_second = stream.pace
    if wanted.replay:
        if not stream.replays:
            raise _invalid(f"{stream.name} has no replay")
        one.terms = structs.replace(one.terms, replay_start_time=DeviceTime(stream.begins(0, now)))
    return one


def _destination(instance: ReceiverInstance, scenario: Scenario) -> Destination:
    try:
        address = ipaddress.ip_address(instance.address)
    except ValueError:
        raise _invalid(f"{instance.address!r} is no address, and names are not known") from None
    if (address.version == 6) != (":" in scenario.address):
        raise _invalid(f"{address} cannot be reached from {scenario.address}")
    if not instance.port:
        raise _invalid(f"{instance.name} has no port")
    if instance.secure and not scenario.receiver.tls.ca:
        raise _invalid(f"{instance.name}: nobody here signs certificates of receivers")
    if instance.transport == HTTPS:
        if not instance.secure and scenario.receiver.tls.ca:
            raise _invalid(f"{instance.name}: it is TLS that this device is set up for")
        return Destination("https-notif", str(address), instance.port, instance.path or "/")
    size = instance.max_segment_size or 0
    if size and not SMALLEST <= size <= LARGEST:
        raise _invalid(f"segments have {SMALLEST} to {LARGEST} octets")
    if not instance.enable_segmentation:
        size = LARGEST
    transport = "dtls" if instance.secure else "udp-notif"
    return Destination(transport, str(address), instance.port, max_segment_size=size)


def _invalid(text: str) -> ProtocolError:
    return ProtocolError(text, tag="invalid-value")
