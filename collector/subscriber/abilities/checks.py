"""Wanted subscriptions against what the device says that it can, before it is asked.

Does: one sentence for each thing that the device will probably refuse, and which nodes of an
on-change subscription it is going to leave out. Does not: refuse anything
itself: capabilities may be stale, and limits are for the general case (RFC 9196 §5), so the device
has the last word. Pure functions.

Rules: only what is said can be doubted; a feature is missing only where the features of its module
are listed or the module is in a YANG library, which has to name them (RFC 8525 §3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from collector.model import SECOND, OnChange, SubscriptionTerms
from collector.subscriber.abilities.capabilities import HELLO, DeviceCapabilities
from collector.wire.netconf.capabilities import SystemCapabilities, stated
from collector.wire.netconf.node_paths import (
    NodePath,
    named_modules,
    read_paths,
    selected_paths,
    unnamed_steps,
)
from collector.wire.values import names

Said = Callable[[str], Iterator[tuple[Any, str]]]
"""A field of ``PushCapabilities`` -> its values for the wanted nodes, each with words for whose it
is."""
_ALWAYS = "encode-xml"
"""Over NETCONF there is XML whatever is listed (RFC 8640 §4)."""
_FEATURES = {"encode-json": names.SN, "encode-cbor": names.UDP_TRANSPORT}
"""Encoding -> the module that has a feature of the same name for it."""
_MAX_PATHS = 32
"""Paths of one filter that are looked at (ours): each is compared with all that the device says."""
_SYSTEM = "its system capabilities say that"


def doubts(terms: SubscriptionTerms, known: DeviceCapabilities) -> tuple[str, ...]:
    """Why the device will probably refuse these terms; each is a clause for people, once."""
    found = [*_modules(terms, known), *_streams(terms, known)]
    if known.system is not None:
        found += _encodings(terms, known.system)
        found += _updates(terms, known.system)
    return tuple(dict.fromkeys(found))


def configured_doubts(terms: SubscriptionTerms, known: DeviceCapabilities) -> tuple[str, ...]:
    """Why a configured subscription of these terms will probably be invalid, beside ``doubts``."""
    found = []
    if _lacks(known, names.SN, "configured"):
        found.append(f"it does not name the feature configured of {names.SN}")
    transports = known.system.transports if known.system is not None else ()
    listed = tuple(dict.fromkeys(one.transport for one in transports))
    if listed and terms.transport not in (None, *listed):
        found.append(f"{_SYSTEM} the transports are {', '.join(listed)}")
    its_own = dict.fromkeys(
        name for one in transports if one.transport == terms.transport for name in one.encodings
    )
    # of what no transport has ``doubts`` speaks
    others = {_ALWAYS, *(name for one in transports for name in one.encodings)}
    if its_own and terms.encoding in others - its_own.keys():
        found.append(f"{_SYSTEM} the encodings over {terms.transport} are {', '.join(its_own)}")
    return tuple(found)


def never_updated(terms: SubscriptionTerms, known: DeviceCapabilities) -> tuple[str, ...]:
    """Parts of an on-change subscription that will never be in an update.

    A publisher may take the subscription all the same, and leaves it to the subscriber to know
    (RFC 8641 §3.3).
    """
    if terms.on_change is None or known.system is None:
        return ()
    found: dict[str, None] = {}
    for path in (selected_paths(terms.selection_filter) or ())[:_MAX_PATHS]:
        said = list(stated(known.system, "on_change", terms.datastore, path))
        if any(one.value for one in said):
            found.update((_short(one.where), None) for one in said if not one.value)
    return tuple(found)


def selects_nothing(terms: SubscriptionTerms, known: DeviceCapabilities) -> tuple[str, ...]:
    """Why the filter will probably select nothing.

    A publisher takes such a subscription without a word: what is selected need not be there
    (RFC 8641 §3.9).
    """
    selection = terms.selection_filter
    steps = (f"the step {one} of its XPath names no module" for one in unnamed_steps(selection))
    absent = [one for one in named_modules(selection) if one in known.absent]
    modules = (
        f"{known.absent_from} names no module"
        f"{' with the namespace' if ':' in one or '/' in one else ''} {one}"
        for one in absent
    )
    return (*steps, *(f"its {words}" for words in modules))


# --------------------------------------------------------------------------- modules
def _modules(terms: SubscriptionTerms, known: DeviceCapabilities) -> Iterator[str]:
    library = known.library
    if library is not None:
        if library.listed and known.module(names.SN)[0] is None:
            yield f"its {known.library_source} names no module {names.SN}"
        if library.datastores and terms.datastore not in (None, *library.datastores):
            listed = ", ".join(library.datastores)
            yield f"its {known.library_source} names only the datastores {listed}"
    for module, feature, what in _needed(terms):
        if _lacks(known, module, feature):
            yield f"it does not name the feature {feature} of {module}, which {what} needs"


def _needed(terms: SubscriptionTerms) -> Iterator[tuple[str, str, str]]:
    """(module, feature, what needs it): ``if-feature`` of RFC 8639 §4 and RFC 8641 §5."""
    selection = terms.selection_filter
    if selection is not None and selection.kind in ("xpath", "subtree"):
        yield names.SN, selection.kind, f"the {selection.kind} filter"
    if terms.on_change is not None:
        yield names.YP, "on-change", "the subscription"
    if terms.encoding is not None and terms.encoding in _FEATURES:
        yield _FEATURES[terms.encoding], terms.encoding, "the encoding"
    if terms.dscp:
        yield names.SN, "dscp", "dscp"
    if terms.weighting is not None or terms.dependency is not None:
        yield names.SN, "qos", "weighting or dependency"
    if terms.replay_start_time is not None:
        yield names.SN, "replay", "replay-start-time"


def _lacks(known: DeviceCapabilities, module: str, feature: str) -> bool:
    found, source = known.module(module)
    if found is None or feature in found.features:
        return False
    return source != HELLO or bool(found.features)


def _streams(terms: SubscriptionTerms, known: DeviceCapabilities) -> Iterator[str]:
    if terms.stream is None or not known.streams:
        return
    stream = next((one for one in known.streams if one.name == terms.stream), None)
    if stream is None:
        yield f"it has only the event streams {', '.join(one.name for one in known.streams)}"
    elif terms.replay_start_time is not None and not stream.replay:
        yield f"its event stream {stream.name} has no replay"


# --------------------------------------------------------------------------- capabilities
def _encodings(terms: SubscriptionTerms, system: SystemCapabilities) -> Iterator[str]:
    listed = dict.fromkeys(name for one in system.transports for name in one.encodings)
    if listed and terms.encoding not in (None, _ALWAYS, *listed):
        yield f"{_SYSTEM} the encodings are {', '.join(listed)}"


def _updates(terms: SubscriptionTerms, system: SystemCapabilities) -> Iterator[str]:
    if terms.datastore is None:
        return
    paths = selected_paths(terms.selection_filter)
    if paths is None:  # it may select anything: only what is said of everything counts
        paths, system = (NodePath(),), SystemCapabilities(system.system)
    for path in paths[:_MAX_PATHS]:
        yield from _nodes(terms, system, path)


def _nodes(terms: SubscriptionTerms, system: SystemCapabilities, path: NodePath) -> Iterator[str]:
    def said(name: str) -> Iterator[tuple[Any, str]]:
        for one in stated(system, name, terms.datastore, path):
            yield one.value, _of(one.where, path)

    if terms.period is not None:
        yield from _periodic(terms.period, said)
    if terms.on_change is not None:
        yield from _on_change(terms.on_change, said)


def _periodic(period: int, said: Said) -> Iterator[str]:
    yield from _unsupported("periodic updates", said("periodic"))
    for shortest, nodes in said("minimum_update_period"):
        if period < shortest:
            yield f"{_SYSTEM} the shortest period{nodes} is {_seconds(shortest)}"
    for periods, nodes in said("supported_update_periods"):
        if period not in periods:
            yield f"{_SYSTEM} the periods{nodes} are {', '.join(map(_seconds, periods))}"


def _unsupported(what: str, said: Iterator[tuple[Any, str]]) -> Iterator[str]:
    """Where some of the nodes have it the others are just not in the updates (RFC 8641 §3.3)."""
    found = list(said)
    if not any(support for support, _ in found):
        for _, nodes in found[:1]:
            yield f"{_SYSTEM} {what}{nodes} are not supported"


def _on_change(wanted: OnChange, said: Said) -> Iterator[str]:
    yield from _unsupported("on-change updates", said("on_change"))
    for shortest, nodes in said("minimum_dampening_period"):
        if wanted.dampening_period < shortest:
            yield f"{_SYSTEM} the shortest dampening period{nodes} is {_seconds(shortest)}"
    for kinds, nodes in said("excluded_changes"):
        missing = [change for change in wanted.excluded_change if change not in kinds]
        if missing and "all" not in kinds:
            yield f"{_SYSTEM} {' and '.join(missing)}{nodes} cannot be excluded"


def _of(where: str, path: NodePath) -> str:
    """Of which nodes; nothing where it is said of the whole system."""
    if not where:
        return ""
    return f" of {path}" if where == "/" else f" of {_short(where)}"


def _short(where: str) -> str:
    """A path as people write it: the module where it changes."""
    paths = read_paths(where, {})
    return str(paths[0]) if paths and len(paths) == 1 and not paths[0].narrowed else where


def _seconds(period: int) -> str:
    return f"{period / SECOND:g} s"
