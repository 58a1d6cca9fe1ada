"""What is wanted of which device: values, and the way from the configuration to them.

What it does not: say what is asked for at a moment (``asked``), talk to a device (``device``). Pure
functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from collector.config import Config, NetconfSettings, SubscriptionSettings
from collector.config.subscriptions import centiseconds, moment
from collector.model import SECOND, OnChange, SelectionFilter, SubscriptionTerms
from collector.subscriber.sessions.session import SessionSettings, settings_from
from collector.wire.values import names

_REVISION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class WantedSubscription(Struct, frozen=True):
    """One subscription of one device."""

    name: str
    """Name in the configuration, the same on every device; the series key for people."""
    device: str
    terms: SubscriptionTerms
    """As the configuration says them; what depends on the moment is filled in when it is asked."""
    expect: tuple[str, ...] | None = None
    """Generators that the operator configured; passed through, not used here."""
    stop_after: int | None = None
    """ns from the moment of asking to the stop-time; None: ``terms.stop_time`` holds."""
    renew: bool = True
    """Whether one with ``stop_after`` is prolonged for as long as it is wanted."""
    replay_back: int | None = None
    """ns from the moment of asking back to the replay-start-time; None: that of ``terms``."""
    dependency: str = ""
    """Name of another one whose id becomes the dependency; empty: that of ``terms``."""
    accept_hints: bool = False
    """Whether a hinted period is asked for when ours is refused."""

    @property
    def for_good(self) -> bool:
        """True when it is wanted again after its stop-time has passed."""
        return self.stop_after is not None and self.renew


class DeviceAccess(Struct, frozen=True):
    """How to reach one device."""

    name: str
    settings: SessionSettings
    session: str = "asyncssh"
    """Which implementation: ``asyncssh``, ``ncclient``, or ``called`` where the device calls."""
    looked_at: bool = False
    """A session is kept though nothing is asked for: something is configured there that is looked
    at now and then (``device.cross_check``)."""


def wanted_from(config: Config) -> tuple[tuple[DeviceAccess, ...], tuple[WantedSubscription, ...]]:
    """Devices with a management session, and what is wanted of each of them."""
    sessions = {
        device.name: device.netconf for device in config.devices if device.netconf is not None
    }
    known = {subscription.name: subscription.configured_id for subscription in config.subscriptions}
    wanted = tuple(
        one
        for subscription in config.subscriptions
        if subscription.configured_id is None  # else the device has it without being asked
        for one in _on_devices(subscription, sessions, known)
    )
    return tuple(_access(config, name, netconf) for name, netconf in sessions.items()), wanted


def _access(config: Config, name: str, netconf: NetconfSettings) -> DeviceAccess:
    max_message = config.sessions.max_message_bytes
    looked_at = config.cross_check.interval_seconds > 0 and any(
        one.configured_id is not None and ("*" in one.devices or name in one.devices)
        for one in config.subscriptions
    )
    kind = "called" if netconf.call_home else netconf.session
    settings = replace(settings_from(netconf, name), max_message=max_message)
    return DeviceAccess(name, settings, kind, looked_at)


def _on_devices(
    subscription: SubscriptionSettings, sessions: Iterable[str], known: Mapping[str, int | None]
) -> Iterator[WantedSubscription]:
    """One configured subscription on each of its devices that has a session."""
    devices = frozenset(subscription.devices)
    terms = terms_from(subscription, known)
    dependency = subscription.dependency or ""
    by_name = dependency in known and known[dependency] is None
    for name in sessions:
        if "*" in devices or name in devices:
            yield WantedSubscription(
                subscription.name,
                name,
                terms,
                subscription.expect or None,
                stop_after=_ns(subscription.stop_after_seconds),
                renew=subscription.renew,
                replay_back=_ns(subscription.replay_seconds),
                dependency=dependency if by_name else "",
                accept_hints=subscription.accept_hints,
            )


def terms_from(
    subscription: SubscriptionSettings, known: Mapping[str, int | None] = {}
) -> SubscriptionTerms:
    """The terms as the configuration says them; the anchor may still be open.

    ``known``: name of each subscription -> its id, where it is configured on the devices; a
    dependency that is none of them is an id itself.
    """
    stop, replay = subscription.stop_time, subscription.replay_start_time
    module, _, encoding = subscription.asked_encoding.rpartition(":")
    return SubscriptionTerms(
        datastore=subscription.asked_datastore,
        stream=subscription.stream,
        selection_filter=_filter(subscription),
        period=subscription.period,
        anchor_time=subscription.anchor_time,
        on_change=_trigger(subscription),
        encoding=encoding,
        encoding_module=_module(module, subscription),
        stop_time=None if stop is None else moment(stop),
        dscp=subscription.dscp,
        weighting=subscription.weighting,
        dependency=_parent(subscription.dependency, known),
        replay_start_time=None if replay is None else moment(replay),
        module_versions=tuple(_version(*one) for one in subscription.module_versions.items()),
    )


def _module(name: str, subscription: SubscriptionSettings) -> tuple[str, str] | None:
    """Of the encoding, with its namespace; None: a standard's."""
    if not name:
        return None
    return name, names.namespace_of(subscription.namespaces.get(name, name))


def _parent(dependency: str | None, known: Mapping[str, int | None]) -> int | None:
    """Its id, where that does not change; None: there is none, or it has to be established."""
    if dependency is None or dependency in known:
        return known.get(dependency or "")
    return int(dependency) if dependency.isdecimal() else None


def _filter(subscription: SubscriptionSettings) -> SelectionFilter | None:
    if subscription.xpath is not None:
        return SelectionFilter("xpath", subscription.xpath, subscription.namespaces)
    if subscription.subtree is not None:
        return SelectionFilter("subtree", subscription.subtree)
    if subscription.filter_name is not None:
        return SelectionFilter("ref", subscription.filter_name)
    return None


def _trigger(subscription: SubscriptionSettings) -> OnChange | None:
    if not subscription.on_change:
        return None
    return OnChange(
        dampening_period=centiseconds(subscription.dampening_seconds),
        sync_on_start=subscription.sync_on_start,
        excluded_change=subscription.excluded_changes,
    )


def _version(module: str, text: str) -> tuple[str, str, str]:
    """(module, revision, version): a date is a revision, anything else a version."""
    return (module, text, "") if _REVISION.fullmatch(text) else (module, "", text)


def _ns(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * SECOND)


def in_order(wanted: Mapping[str, WantedSubscription]) -> Iterator[WantedSubscription]:
    """Every one after the one it depends on, else in the order given; a ring is no hindrance."""
    met: set[str] = set()
    for one in wanted.values():
        chain: list[WantedSubscription] = []
        at: WantedSubscription | None = one
        while at is not None and at.name not in met:
            met.add(at.name)
            chain.append(at)
            at = wanted.get(at.dependency)
        yield from reversed(chain)


def by_device(wanted: Iterable[WantedSubscription]) -> dict[str, dict[str, WantedSubscription]]:
    """device -> name -> what is wanted."""
    table: dict[str, dict[str, WantedSubscription]] = {}
    for one in wanted:
        table.setdefault(one.device, {})[one.name] = one
    return table
