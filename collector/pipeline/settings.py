"""What of the configuration the engine has to know.

The configuration itself is a journal record (``RecordKind.CONFIG``), so that a journal explains its
verdicts by itself; this turns it into the engine's own words. Seconds become ns here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct, field

from collector.config import Config, DeviceSettings, device_of_source, redacted
from collector.core.assembly.segments import ReassemblyLimits
from collector.core.inventory import Inventory
from collector.core.settings import (
    ANY_DEVICE,
    EngineSettings,
    KnownSubscription,
    NamedSubscription,
)
from collector.model import (
    CENTISECOND,
    CERTIFICATE_SESSION,
    SECOND,
    WIRE_QUIRKS,
    Quirk,
    SidTable,
    SubscriptionTerms,
)
from collector.wire.dialout.telemetry import subscription_number

_SCOPES = {Quirk.IDS_PER_PUBLISHER, Quirk.IDS_PER_SUBSCRIPTION}


class JournalledSids(Struct, frozen=True):
    """A ``SidTable``."""

    paths: dict[int, str]
    identities: dict[int, str]


class JournalledConfig(Config, frozen=True, kw_only=True):
    """What a CONFIG record holds: the configuration, and what only captures are read with."""

    each_source: bool = False
    """Whether an address that belongs to no device is a device of its own."""
    sids: dict[str, JournalledSids] = field(default_factory=dict)
    """Device, empty for all others -> its SIDs: what the ``.sid`` files said at that time, since
    messages with SIDs can be read with them only."""
    transports: dict[int, str] = field(default_factory=dict)
    """Number of a transport of another package -> the name of its receiver."""


def encode_config(
    config: Config,
    sids: Mapping[str, SidTable] | None = None,
    transports: Mapping[int, str] | None = None,
) -> bytes:
    """The payload of a CONFIG record: JSON, secrets removed.

    Args:
        config: what is in force.
        sids: by device, as ``schemas.load_sid_tables`` gives them.
        transports: numbers that receivers of other packages have.
    """
    plain = redacted(config)
    if transports:
        plain["transports"] = transports
    if sids:
        plain["sids"] = {
            device: JournalledSids(table.paths, table.identities) for device, table in sids.items()
        }
    return msgspec.json.encode(plain)


def sid_tables(config: JournalledConfig) -> dict[str, SidTable]:
    """The SIDs by device."""
    return {device: SidTable(one.paths, one.identities) for device, one in config.sids.items()}


def decode_config(payload: bytes) -> JournalledConfig:
    """The configuration out of a CONFIG record; keys of other versions are left out.

    Raises:
        msgspec.ValidationError: no configuration, or a value of another kind than now.
    """
    return msgspec.json.decode(payload, type=JournalledConfig)


def inventory_of(config: JournalledConfig, sources: Mapping[str, str] | None = None) -> Inventory:
    """Who sends from where; ``sources``: peer address -> device, instead of what it says."""
    known = device_of_source(config) if sources is None else sources
    return Inventory(known, each_source=config.each_source)


def strict_sources(config: Config) -> frozenset[str]:
    """Senders whose unknown UDP-notif options are refused: addresses and ``certificate:NAME``."""
    return frozenset(s for device in config.devices if device.strict for s in senders(device))


def wire_quirks(config: Config) -> dict[str, frozenset[Quirk]]:
    """Sender, an address or ``certificate:NAME`` -> what receivers have to heed."""
    return {
        sender: found
        for device in config.devices
        if (found := WIRE_QUIRKS.intersection(map(Quirk, device.quirks)))
        for sender in senders(device)
    }


def senders(device: DeviceSettings) -> Iterator[str]:
    """What the records of a device say who sent them."""
    yield from device.sources
    yield from (CERTIFICATE_SESSION + name.lower() for name in device.certificates)


def reassembly_limits(config: Config) -> ReassemblyLimits:
    """Bounds of segmented messages."""
    limits = config.reassembly
    window = round(limits.window_seconds * SECOND)
    return ReassemblyLimits(
        window=window,
        notice=min(window, SECOND // 2),
        max_segments=limits.max_segments,
        max_message_octets=limits.max_message_bytes,
        max_per_peer=limits.max_half_built_per_peer,
        max_half_built=limits.max_half_built,
        max_octets=limits.max_half_built_bytes,
    )


def engine_settings(config: Config) -> EngineSettings:
    """Grace, expectations, periods and generator names, by device and subscription name."""
    verdicts = config.verdicts
    named: dict[tuple[str, str], NamedSubscription] = {}
    for subscription in config.subscriptions:
        value = NamedSubscription(
            grace=subscription.grace,
            expect=subscription.expect or None,
            period=subscription.period,
        )
        for device in subscription.devices:
            named[device if device != "*" else ANY_DEVICE, subscription.name] = value
    known = dict(_configured(config))
    for one in config.known_subscriptions:
        told = KnownSubscription(
            name=one.name or one.label or "",
            terms=_terms(one.period_seconds),
            expect=one.expect or None,
        )
        for device in one.devices:
            number = subscription_number(one.label) if one.label else one.id
            if number is not None:
                known[device if device != "*" else ANY_DEVICE, number] = told
    grace = verdicts.grace_seconds
    return EngineSettings(
        grace=None if grace is None else round(grace * SECOND),
        named=named,
        known=known,
        generators={d.name: dict(d.generators) for d in config.devices if d.generators},
        per_subscription={
            device.name: Quirk.IDS_PER_SUBSCRIPTION in device.quirks
            for device in config.devices
            if _SCOPES.intersection(device.quirks)
        },
        forget_after=verdicts.forget_after_seconds * SECOND,
    )


def _configured(config: Config) -> Iterator[tuple[tuple[str, int], KnownSubscription]]:
    """Those that ``collector configure`` puts on devices."""
    for one in config.subscriptions:
        if one.configured_id is not None:
            told = KnownSubscription(one.name, _terms(one.period_seconds), one.expect or None)
            for device in one.devices:
                yield (device if device != "*" else ANY_DEVICE, one.configured_id), told


def _terms(period_seconds: float | None) -> SubscriptionTerms | None:
    if period_seconds is None:
        return None
    return SubscriptionTerms(period=round(period_seconds * 100) * CENTISECOND)
