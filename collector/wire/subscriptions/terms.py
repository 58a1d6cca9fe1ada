"""Subscription terms <-> plain values, and the list of message generators.

Does: the leaves that establish-subscription, modify-subscription, subscription-started,
subscription-modified and ``/subscriptions`` share (RFC 8639 §4, RFC 8641 §4, YANG-Push revision
draft §4), and the originator ids in every spelling. Does not: know a message around them.

Rules: reading takes the members in any order and spelling (``name``/``module-name``, a nested
``target``); writing is strict. Times inside are ns, on the wire date-and-time and centiseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, Final

from collector.errors import UsageError, WireError
from collector.model import DeviceTime, OnChange, SelectionFilter, SubscriptionTerms
from collector.wire.values import names, plain, plain_xml, timestamps, xml
from collector.wire.values.plain import IdentityText, SubtreeText, XPathText

_XPATH: Final = ("datastore-xpath-filter", "stream-xpath-filter")
_SUBTREE: Final = ("datastore-subtree-filter", "stream-subtree-filter")
_REFERENCE: Final = ("selection-filter-ref", "stream-filter-name")
_LONGEST_GENERATOR: Final = 255
"""Characters of an originator id; ours. The base document sets no limit to the string."""
MAX_GENERATORS: Final = 1024
"""Originators in one list; ours, as many as the engine follows. Large chassis have tens."""
_IDENTITY_MODULES: Final = {
    "encode-cbor": names.UDP_TRANSPORT,
    "udp-notif": names.UDP_TRANSPORT,
    "https": names.HTTPS_TRANSPORT,
}
"""Identities that another module than ietf-subscribed-notifications defines."""


# --------------------------------------------------------------------------- decode
def read_terms(found: Mapping[str, Any]) -> SubscriptionTerms:
    """Terms out of members by local name (``plain.known_members``).

    Raises:
        WireError: ``bad-value``, ``bad-timestamp``, ``duplicate-member``.
    """
    if "target" in found:  # seen on Arrcus: the YANG choice written as a container
        found = {**plain.known_members(found["target"], "target"), **found}
    periodic = _container(found, "periodic")
    return SubscriptionTerms(
        datastore=_identity(found, "datastore"),
        stream=_stream(found),
        selection_filter=_selection_filter(found),
        period=_centiseconds(periodic, "period"),
        anchor_time=_time(periodic, "anchor-time"),
        on_change=_on_change(found),
        encoding=_identity(found, "encoding"),
        transport=_identity(found, "transport"),
        stop_time=_stop_time(found),
        dscp=_uint(found, "dscp", 63),
        weighting=_uint(found, "weighting", 255),
        dependency=_uint(found, "dependency"),
        replay_start_time=_time(found, "replay-start-time"),
        module_versions=_module_versions(found),
    )


def _container(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    return plain.known_members(found[name], name) if name in found else {}


def _stream(found: Mapping[str, Any]) -> str | None:
    value = found.get("stream")
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()  # as the figures of RFC 8650 §A print it
    return None if value is None else plain.read_text(value, "stream")


def _identity(found: Mapping[str, Any], name: str) -> str | None:
    return plain.read_identity(found[name], name) if name in found else None


def _uint(found: Mapping[str, Any], name: str, maximum: int = plain.UINT32_MAX) -> int | None:
    return plain.read_uint(found[name], name, maximum) if name in found else None


def _time(found: Mapping[str, Any], name: str) -> DeviceTime | None:
    return plain.read_time(found[name], name) if name in found else None


def _stop_time(found: Mapping[str, Any]) -> DeviceTime | None:
    """The year 9999 is a usual way to say never: taken as the last moment that we can keep, and a
    year before 1678 as the first."""
    if "stop-time" not in found:
        return None
    text = plain.read_text(found["stop-time"], "stop-time")
    time = timestamps.parse_date_and_time(text)
    return DeviceTime(max(plain.INT64_MIN, min(time, plain.INT64_MAX)))


def _centiseconds(found: Mapping[str, Any], name: str) -> int | None:
    value = _uint(found, name)
    return None if value is None else timestamps.centiseconds_to_ns(value)


def _on_change(found: Mapping[str, Any]) -> OnChange | None:
    if "on-change" not in found:
        return None
    trigger = _container(found, "on-change")
    excluded = plain.as_list(trigger.get("excluded-change", []))
    sync = trigger.get("sync-on-start", True)
    return OnChange(
        dampening_period=_centiseconds(trigger, "dampening-period") or 0,
        sync_on_start=plain.read_boolean(sync, "sync-on-start"),
        excluded_change=tuple(plain.read_text(name, "excluded-change") for name in excluded),
    )


def _selection_filter(found: Mapping[str, Any]) -> SelectionFilter | None:
    for name in _XPATH:
        if name in found:
            return _xpath_filter(found[name], name)
    for name in _SUBTREE:
        if name in found:
            return SelectionFilter("subtree", _subtree_text(found[name], name))
    for name in _REFERENCE:
        if name in found:
            return SelectionFilter("ref", plain.read_text(found[name], name))
    return None


def _xpath_filter(value: object, name: str) -> SelectionFilter:
    text = plain.read_text(value, name)
    if isinstance(value, XPathText):
        return SelectionFilter("xpath", text, value.namespaces)
    # outside XML the prefix is the module name (RFC 7951 §6.11 for the like of it)
    return SelectionFilter("xpath", text, {p: p for p in sorted(xml.used_prefixes(text))})


def _subtree_text(value: object, name: str) -> str:
    if isinstance(value, str):
        return value.strip()
    return plain_xml.subtree_text(plain.members(value, name))


def _module_versions(found: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    entries = found.get("module-version", found.get("module-version-subs", []))
    return tuple(_module_version(entry) for entry in plain.as_list(entries))


def _module_version(entry: object) -> tuple[str, str, str]:
    found = plain.known_members(entry, "module-version")
    name = found.get("name", found.get("module-name", ""))
    version = found.get("version", found.get("revision-label", ""))
    return (
        plain.read_text(name, "name"),
        plain.read_text(found.get("revision", ""), "revision"),
        plain.read_text(version, "version"),
    )


def normal_generator(value: object) -> str:
    """An originator id as the one text that we compare: ``"07"`` and 7 are ``"7"``.

    Raises:
        WireError: ``bad-value``: empty, too long, or neither text nor number.
    """
    text = plain.read_text(value, "message-generator-id")
    if not text or len(text) > _LONGEST_GENERATOR:
        raise plain.bad_value("message-generator-id", value)
    if text.isascii() and text.isdecimal():
        return text.lstrip("0") or "0"
    return text


def read_generators(found: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The list of originators in the order given, duplicates merged; None without any list.

    Raises:
        WireError: ``bad-value``; ``too-many-generators``: more than ``MAX_GENERATORS``.
    """
    lists = [value for name, value in found.items() if name in names.GENERATOR_LEAVES]
    if not lists:
        return None
    ids: dict[str, None] = {}
    for entry in chain.from_iterable(map(plain.as_list, lists)):
        ids[normal_generator(entry)] = None
        if len(ids) > MAX_GENERATORS:
            raise WireError(
                "too-many-generators",
                f"the list has more than {MAX_GENERATORS} message generators",
                field="message-generator-id",
            )
    return tuple(ids)


def read_generator_leaf(found: Mapping[str, Any]) -> str | None:
    """The leaf-list that the originators stand in, of several the newest; None without any."""
    return next((name for name in names.GENERATOR_LEAVES if name in found), None)


def read_generator(found: Mapping[str, Any]) -> str | None:
    """The one originator of a data message; None also where a list names several."""
    for name in names.GENERATOR_LEAVES:
        entries = plain.as_list(found[name]) if name in found else []
        if len(entries) == 1:
            return normal_generator(entries[0])
    return None


# --------------------------------------------------------------------------- encode
def write_terms(
    terms: SubscriptionTerms, *, request: bool = False, modify: bool = False, told: bool = False
) -> dict[str, Any]:
    """Terms as members of a node of ietf-subscribed-notifications.

    Args:
        terms: what to write.
        request: inside establish- or modify-subscription, where the transport is the session's.
        modify: inside modify-subscription, where only part of them may stand (RFC 8639 §2.4.3,
            RFC 8641 §4.4.2).
        told: inside a state change, where module versions are told under one name; everywhere else
            they are asked for under another (draft-ietf-netconf-yang-notifications-versioning-13
            §5.3).

    Raises:
        UsageError: a value outside its range.
    """
    found: dict[str, Any] = {}
    if terms.datastore is not None:
        found[f"{names.YP}:datastore"] = f"{names.DS}:{terms.datastore}"
    if terms.selection_filter is not None:
        found.update(_write_filter(terms.selection_filter, datastore=terms.stream is None))
    if not modify:
        _put(found, "stream", terms.stream)
        _put_time(found, "replay-start-time", terms.replay_start_time)
    _put_time(found, "stop-time", terms.stop_time)
    if not modify:
        _put(found, "dscp", terms.dscp)
        _put(found, "weighting", terms.weighting)
        _put(found, "dependency", terms.dependency)
        if not request:
            _put(found, "transport", _qualified(terms.transport))
        _put(found, "encoding", _encoding(terms))
    found.update(_write_trigger(terms, modify=modify))
    if terms.module_versions:
        found.update(_write_versions(terms.module_versions, told=told))
    return found


def _put(found: dict[str, Any], name: str, value: object) -> None:
    if value is not None:
        found[name] = value


def _put_time(found: dict[str, Any], name: str, time: DeviceTime | None) -> None:
    if time is not None:
        found[name] = timestamps.format_date_and_time(time)


def _qualified(identity: str | None) -> str | None:
    if identity is None:
        return None
    module = _IDENTITY_MODULES.get(identity)
    return identity if module is None else f"{module}:{identity}"


def _encoding(terms: SubscriptionTerms) -> str | None:
    if terms.encoding_module is None or terms.encoding is None:
        return _qualified(terms.encoding)
    module, namespace = terms.encoding_module
    return IdentityText(f"{module}:{terms.encoding}", {module: namespace})


def _write_filter(selection: SelectionFilter, *, datastore: bool) -> dict[str, Any]:
    which = 0 if datastore else 1
    if selection.kind == "xpath":
        name, value = _XPATH[which], XPathText(selection.text, selection.namespaces)
    elif selection.kind == "subtree":
        return {_in_target(_SUBTREE[which], datastore): SubtreeText(selection.text)}
    elif selection.kind == "ref":
        return {_in_target(_REFERENCE[which], datastore): selection.text}
    else:
        raise UsageError(f"{selection.kind!r} is no kind of selection filter")
    return {_in_target(name, datastore): value}


def _in_target(name: str, datastore: bool) -> str:
    return f"{names.YP}:{name}" if datastore else name


def _write_trigger(terms: SubscriptionTerms, *, modify: bool) -> dict[str, Any]:
    if terms.on_change is not None:
        trigger: dict[str, Any] = {"dampening-period": _cs(terms.on_change.dampening_period)}
        if not modify:
            trigger["sync-on-start"] = terms.on_change.sync_on_start
            if terms.on_change.excluded_change:
                trigger["excluded-change"] = list(terms.on_change.excluded_change)
        return {f"{names.YP}:on-change": trigger}
    if terms.period is None:
        return {}
    periodic: dict[str, Any] = {"period": _cs(terms.period)}
    _put_time(periodic, "anchor-time", terms.anchor_time)
    return {f"{names.YP}:periodic": periodic}


def _cs(ns: int) -> int:
    try:
        return timestamps.ns_to_centiseconds(ns)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _write_versions(
    versions: Iterable[tuple[str, str, str]], *, told: bool
) -> dict[str, list[dict[str, str]]]:
    entries = []
    for name, revision, version in versions:
        entry = {"name": name}
        if revision:
            entry["revision"] = revision
        if version and (told or not revision):  # a choice where it is asked for
            entry["version"] = version
        entries.append(entry)
    leaf = "module-version" if told else "module-version-subs"
    return {f"{names.REVISION}:{leaf}": entries}


def write_generators(generators: Iterable[str], mode: str) -> dict[str, list[Any]]:
    """The list of originators, spelled as the control mode wants it.

    Raises:
        UsageError: an unknown mode; an id that is no uint32 in a mode that wants numbers.
    """
    leaf = names.CONTROL_MODES.get(mode)
    if leaf is None:
        raise UsageError(f"{mode!r} is no control mode; one of {', '.join(names.CONTROL_MODES)}")
    ids: list[Any] = list(generators)
    if leaf.numeric:
        ids = [publisher_id(text) for text in ids]
    return {f"{leaf.module}:{leaf.leaf}": ids}


def publisher_id(generator: str) -> int:
    """The originator id as uint32.

    Raises:
        UsageError: it is no decimal number of 32 bits.
    """
    if generator.isascii() and generator.isdecimal() and int(generator) <= plain.UINT32_MAX:
        return int(generator)
    raise UsageError(f"{generator!r} is no message-publisher-id (0..4294967295)")
