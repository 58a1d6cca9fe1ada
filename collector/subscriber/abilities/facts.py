"""What is known of a device as facts for people: each with its value and who says so.

Does: one fact for each thing that decides on subscriptions, also when nobody says it. Does not:
ask (``capabilities``), print (``views.capabilities``). Pure.

Rules: a source is named as in ``capabilities``; the tree of RFC 9196 is better than a feature of a
module, that better than the module itself; what nobody says is None, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from collector.errors import WireError
from collector.model import SECOND
from collector.subscriber.abilities.capabilities import (
    HELLO,
    STREAMS,
    SYSTEM_CAPABILITIES,
    DeviceCapabilities,
    Extension,
)
from collector.wire.netconf.capabilities import (
    CONFIG_CHANGES,
    STATE_CHANGES,
    NodeCapabilities,
    PushCapabilities,
)
from collector.wire.netconf.library import Stream
from collector.wire.values import names
from collector.wire.values.timestamps import format_date_and_time, parse_date_and_time

SUBSCRIPTIONS = "subscribed-notifications"
"""Fact: whether there are subscriptions at all."""
_SUPPORT = {CONFIG_CHANGES: "configuration", STATE_CHANGES: "state"}
_ENCODINGS = {
    "encode-xml": (names.SN, "encode-xml"),
    "encode-json": (names.SN, "encode-json"),
    "encode-cbor": (names.UDP_TRANSPORT, "encode-cbor"),
}
"""encoding -> (module, feature) that stand for it."""
_TRANSPORTS = {"udp-notif": names.UDP_TRANSPORT, "https": names.HTTPS_TRANSPORT}
"""transport -> its module."""
_FEATURES = {
    "configured-subscriptions": "configured",
    "xpath-filters": "xpath",
    "subtree-filters": "subtree",
    "replay": "replay",
    "dscp": "dscp",
    "weighting-and-dependency": "qos",
}
"""fact -> feature of ietf-subscribed-notifications."""


class Fact(Struct, frozen=True):
    """One thing that is known, or not."""

    name: str
    value: Any
    """True or False, a number, a text, or a list of texts; None: nobody says."""
    source: str
    """Who says so; empty: nobody."""
    unit: str = ""
    """Of a number, ``s`` for seconds."""


class NodeFact(Struct, frozen=True):
    """What holds for some nodes of a datastore, as the device says it (RFC 9196 §4.2)."""

    datastore: str
    nodes: str
    """Paths with names of modules where they change; ``/``: all."""
    values: dict[str, Any]
    """Names as in ``Fact``."""


Said = tuple[Any, str]
"""(value, source); (None, "") where nobody says."""
_NOBODY: Said = (None, "")


def facts(known: DeviceCapabilities, extension: Extension | None) -> tuple[Fact, ...]:
    """Everything, in the order in which people ask for it."""
    return (
        _module(known, SUBSCRIPTIONS, names.SN),
        _module(known, "yang-push", names.YP),
        *_originators(known, extension),
        *_pushing(known),
        Fact("encodings", *_encodings(known)),
        Fact("transports", *_transports(known)),
        *(Fact(name, *_feature(known, names.SN, word)) for name, word in _FEATURES.items()),
        *_extensions(known),
        *_device(known),
    )


def node_facts(known: DeviceCapabilities) -> tuple[NodeFact, ...]:
    """What is different for some nodes."""
    if known.system is None:
        return ()
    return tuple(
        NodeFact(one.datastore, _nodes(one), _values(one.capabilities))
        for one in known.system.nodes
    )


def _nodes(one: NodeCapabilities) -> str:
    """As it was written where it is more than plain paths."""
    if one.paths is None or any(path.narrowed for path in one.paths):
        return one.selector or "/"
    return " | ".join(map(str, one.paths))


# --------------------------------------------------------------------------- modules
def _module(known: DeviceCapabilities, name: str, module: str) -> Fact:
    found, source = known.module(module)
    if found is not None:
        return Fact(name, f"{module}@{found.revision}" if found.revision else module, source)
    listed = known.lists_modules
    # a hello need not list modules of YANG 1.1 (RFC 7950 §5.6.4), a library has to
    return Fact(name, False, listed) if listed not in ("", HELLO) else Fact(name, *_NOBODY)


def _feature(known: DeviceCapabilities, module: str, feature: str) -> Said:
    found, source = known.module(module)
    if found is None:
        return _NOBODY
    if feature in found.features:
        return True, source
    return (False, source) if source != HELLO or found.features else _NOBODY


def _originators(known: DeviceCapabilities, extension: Extension | None) -> Iterator[Fact]:
    if extension is None:
        absent = known.lists_modules not in ("", HELLO)
        yield Fact("originators", *((False, known.lists_modules) if absent else _NOBODY))
        return
    module = extension.module
    revision = f"@{module.revision}" if module.revision else ""
    yield Fact("originators", f"{module.name}{revision}", extension.source)
    source = extension.leaves_source
    yield Fact("originator-leaves", list(extension.leaves) or None, source)
    yield Fact("originator-list-in-replies", extension.in_reply, source)


# --------------------------------------------------------------------------- system capabilities
def _pushing(known: DeviceCapabilities) -> Iterator[Fact]:
    system = PushCapabilities() if known.system is None else known.system.system
    for name, value in _values(system, whole=True).items():
        if name == "on-change" and value is None:
            yield Fact(name, *_feature(known, names.YP, "on-change"))
        else:
            unit = "s" if name in _PERIODS else ""
            yield Fact(name, value, "" if value is None else SYSTEM_CAPABILITIES, unit)


_PERIODS = ("shortest-period", "longest-period", "periods", "shortest-dampening-period")


def _values(said: PushCapabilities, *, whole: bool = False) -> dict[str, Any]:
    """Fact -> value; those that are not said only with ``whole``."""
    periods = said.supported_update_periods
    found = {
        "periodic": _support(said.periodic),
        "shortest-period": _seconds(min(periods) if periods else said.minimum_update_period),
        "longest-period": _seconds(max(periods) if periods else None),
        "periods": None if periods is None else [_seconds(period) for period in periods],
        "on-change": _support(said.on_change),
        "shortest-dampening-period": _seconds(said.minimum_dampening_period),
        "changes-that-can-be-excluded": _listed(said.excluded_changes),
        "nodes-in-an-update": said.max_nodes_per_update,
    }
    return {name: value for name, value in found.items() if whole or value is not None}


def _support(bits: tuple[str, ...] | None) -> Any:
    """False: for no nodes; else for which."""
    if bits is None:
        return None
    return [_SUPPORT.get(bit, bit) for bit in bits] or False


def _listed(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


def _seconds(period: int | None) -> float | None:
    return None if period is None else period / SECOND


# --------------------------------------------------------------------------- the way to us
def _encodings(known: DeviceCapabilities) -> Said:
    transports = () if known.system is None else known.system.transports
    listed = dict.fromkeys(name for one in transports for name in one.encodings)
    if listed:
        return list(listed), SYSTEM_CAPABILITIES
    found = {
        name: source
        for name, (module, feature) in _ENCODINGS.items()
        for value, source in (_feature(known, module, feature),)
        if value
    }
    return (list(found), next(iter(found.values()))) if found else _NOBODY


def _transports(known: DeviceCapabilities) -> Said:
    if known.system is not None and known.system.transports:
        listed = [
            f"{one.transport} ({', '.join(one.security)})" if one.security else one.transport
            for one in known.system.transports
        ]
        return listed, SYSTEM_CAPABILITIES
    found = {
        name: source
        for name, module in _TRANSPORTS.items()
        for there, source in (known.module(module),)
        if there is not None
    }
    return (list(found), next(iter(found.values()))) if found else _NOBODY


def _extensions(known: DeviceCapabilities) -> Iterator[Fact]:
    system = known.system
    for name, field, module in (
        ("envelope", "envelope", names.ENVELOPE),
        ("sequence-numbers", "sequence_number", ""),
        ("observation-time", "observation_time", names.OBSERVATION),
        ("module-revisions", "module_revision", names.REVISION),
    ):
        value = None if system is None else getattr(system, field)
        if value is not None:
            yield Fact(name, value, SYSTEM_CAPABILITIES)
            continue
        there, source = known.module(module)
        yield _there(name, there is not None, source)


def _device(known: DeviceCapabilities) -> Iterator[Fact]:
    library, source = known.library, known.library_source
    if library is None:
        library, source = known.hello, HELLO
    yield _there("datastores", list(library.datastores), source)
    nmda, who = known.module(names.NMDA)
    yield _there("get-data", nmda is not None, who)
    streams = [_stream(one) for one in known.streams or ()]
    yield Fact("event-streams", *(_NOBODY if known.streams is None else (streams, STREAMS)))
    yield _there("netconf-options", list(known.protocol), HELLO)
    yield _there("modules", library.listed, source)
    yield _there("content-id", library.content_id, source)


def _stream(one: Stream) -> str:
    """With how far back what it said can be had (RFC 8639 §2.4.2.1)."""
    if not one.replay:
        return one.name
    try:
        since = format_date_and_time(parse_date_and_time(one.replay_since), 0)
    except (WireError, ValueError):  # not said, no time, or none of the years 1 to 9999
        return f"{one.name} (replay)"
    return f"{one.name} (replay since {since})"


def _there(name: str, value: Any, source: str) -> Fact:
    """An empty value says nothing."""
    return Fact(name, value, source) if value else Fact(name, *_NOBODY)
