"""Times and ids inside a payload rewritten; contents stay as captured.

    rewrite(message) -> bytes

Does: event-time, eventTime, observation timestamps, sequence numbers, subscription id and
originator ids (JSON, CBOR with names, XML), in the spelling that the capture has: as many digits of
a second, the same zone, a number where there was a number. Does not: look into contents.

Rules: a payload in which nothing has to change stays octet for octet; one that was changed is
written compactly, its members in the order in which they came.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import cbor2
from lxml import etree
from msgspec import Struct

from publisher_sim.distort.messages import MASK, SECOND, Captured, Message

JSON, XML, CBOR = 1, 2, 3
"""Media types (UDP-notif)."""

EVENT_TIMES: Final = frozenset(("event-time", "eventTime", "notification-time"))
OBSERVATIONS: Final = frozenset(("timestamp", "observation-time", "state-changed-observation-time"))
SEQUENCES: Final = frozenset(("sequence-number", "sequenceNumber"))
ORIGINATORS: Final = frozenset(
    ("message-publisher-id", "message-generator-id", "message-observation-domain-id")
)
LISTS: Final = frozenset(("message-publisher-ids", "message-generator-ids"))
OPAQUE: Final = frozenset(("datastore-contents", "datastore-changes", "datastore-xpath-filter"))
"""Contents: nothing in them is ours to change."""
SUBSCRIPTIONS: Final = frozenset(
    (
        "push-update",
        "push-change-update",
        "subscription-started",
        "subscription-modified",
        "subscription-suspended",
        "subscription-resumed",
        "subscription-terminated",
    )
)
"""Notifications whose ``id`` is the subscription's."""
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Wanted(Struct, frozen=True):
    """What a payload is to say."""

    event_time: int | None
    observation_time: int | None
    sequence_by: int
    """To add to sequence numbers."""
    subscription_id: int | None
    generator: str | None
    """None: leave it as it is."""
    members: tuple[str, ...] | None
    """Originators in a list; None: leave it as it is."""


def rewrite(message: Message) -> bytes:
    """The payload as it stands in the distorted capture.

    Raises:
        ValueError: the message was not read from a capture, or its encoding is not known.
    """
    captured = message.captured
    if captured is None:
        raise ValueError("a message without a payload cannot be written")
    wanted = _wanted(message, captured)
    if wanted is None:
        return captured.payload
    change = {JSON: _json, XML: _xml, CBOR: _cbor}.get(captured.media_type)
    if change is None:
        raise ValueError(f"media type {captured.media_type} cannot be rewritten")
    return change(captured.payload, wanted)


def _wanted(message: Message, captured: Captured) -> Wanted | None:
    """None when the payload says already what it has to."""
    renamed = captured.generator is not None and captured.generator != message.generator
    same = (
        message.event_time == captured.event_time
        and message.observation_time == captured.observation_time
        and message.message_id == captured.message_id
        and message.subscription_id == captured.subscription_id
        and not renamed
        and message.members is None
    )
    if same:
        return None
    return Wanted(
        message.event_time,
        message.observation_time,
        message.message_id - captured.message_id,
        message.subscription_id,
        message.generator if renamed else None,
        message.members,
    )


# --------------------------------------------------------------------------- one leaf
def leaf(name: str, parent: str, value: Any, wanted: Wanted) -> Any:
    """The new value of a member of the envelope; None: the member is left out."""
    if name in EVENT_TIMES:
        return respell(value, wanted.event_time)
    if name in OBSERVATIONS:
        return respell(value, wanted.observation_time)
    if name in SEQUENCES:
        return _like(value, str((int(value) + wanted.sequence_by) & MASK))
    if name in ("id", "subscription-id") and parent in SUBSCRIPTIONS:
        return (
            value if wanted.subscription_id is None else _like(value, str(wanted.subscription_id))
        )
    if name in ORIGINATORS and wanted.generator is not None:
        return _like(value, wanted.generator)
    return value


def respell(value: Any, time: int | None) -> str | None:
    """``time`` (ns since 1970) as a date-and-time with the digits and the zone of ``value``."""
    if time is None:
        return None
    found = _TIME.fullmatch(str(value).strip())
    if found is None:
        return str(value)
    _, fraction, zone = found.groups()
    away = 0
    if zone != "Z":
        away = (int(zone[1:3]) * 60 + int(zone[4:6])) * (-1 if zone[0] == "-" else 1)
    seconds, rest = divmod(time, SECOND)
    moment = _EPOCH + timedelta(seconds=seconds, minutes=away)
    digits = f".{f'{rest:09d}'.ljust(len(fraction), '0')[: len(fraction)]}" if fraction else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + digits + zone


def _like(value: Any, text: str) -> Any:
    """A number where there was one."""
    return int(text) if isinstance(value, int) and text.isdecimal() else text


# --------------------------------------------------------------------------- JSON, CBOR
def _json(payload: bytes, wanted: Wanted) -> bytes:
    found = _edited(json.loads(payload), "", wanted)
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()


def _cbor(payload: bytes, wanted: Wanted) -> bytes:
    try:
        return cbor2.dumps(_edited(cbor2.loads(payload), "", wanted))
    except cbor2.CBOREncodeError as error:
        raise ValueError(f"a message cannot be written as CBOR again: {error}") from error


def _edited(value: Any, name: str, wanted: Wanted) -> Any:
    if not isinstance(value, dict):
        return value
    return dict(_members(value, name, wanted))


def _members(value: dict[Any, Any], parent: str, wanted: Wanted) -> Iterator[tuple[Any, Any]]:
    for key, member in value.items():
        name = str(key).rpartition(":")[2]
        if name in OPAQUE:
            yield key, member
        elif isinstance(member, dict):
            yield key, _edited(member, name, wanted)
        elif isinstance(member, list):
            listed = name in LISTS and wanted.members is not None and member
            new = [_like(member[0], one) for one in wanted.members or ()] if listed else member
            yield key, new
        else:
            changed = leaf(name, parent, member, wanted)
            if changed is not None or member is None:
                yield key, changed


# --------------------------------------------------------------------------- XML
def _xml(payload: bytes, wanted: Wanted) -> bytes:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(payload, parser)
    _walk(root, wanted)
    return etree.tostring(root, encoding="UTF-8")


def _walk(element: Any, wanted: Wanted) -> None:
    parent = _local(element)
    members = [child for child in element if _local(child) in LISTS]
    for child in list(element):
        name = _local(child)
        if name in OPAQUE or not name:
            continue
        if len(child):
            _walk(child, wanted)
        elif name not in LISTS and child.text is not None:
            changed = leaf(name, parent, child.text, wanted)
            if changed is None:
                element.remove(child)
            else:
                child.text = changed
    if members and wanted.members is not None:
        _list(element, members, wanted.members)


def _list(element: Any, old: list[Any], members: tuple[str, ...]) -> None:
    """Entries of a leaf-list, where the old ones stood."""
    place = element.index(old[0])
    new = []
    for text in members:
        entry = etree.Element(old[0].tag, nsmap=old[0].nsmap)
        entry.text = text
        new.append(entry)
    for entry in old:
        element.remove(entry)
    for offset, entry in enumerate(new):
        element.insert(place + offset, entry)


def _local(element: Any) -> str:
    """Local name; empty for comments and processing instructions."""
    return str(element.tag).rpartition("}")[2] if isinstance(element.tag, str) else ""
