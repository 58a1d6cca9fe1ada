"""Messages of a capture as lines: JSON objects for programs, cells of a table for people.

Rules: field names are those of other decoders of such captures (ts, src, sport, ...), times as
exact as they came: ``ts`` is a decimal number of seconds with as many digits as the stamp has,
``event_time`` the text of the message. Whatever a peer chose goes through ``clean`` before a person
sees it.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from math import isfinite
from typing import Any, Final

import msgspec
from rich.text import Text

from collector.conformance.anatomy import leaves, parts_of
from collector.conformance.summary import CounterIds, OriginatorCount, generator_of
from collector.errors import WireError
from collector.model import (
    SECOND,
    MediaType,
    NotificationKind,
    ObservedHalfBuilt,
    ObservedMessage,
    ObservedRefusal,
)
from collector.schema.flatten import flatten
from collector.schema.tree import NO_SCHEMA, Schema
from collector.views.text import clean, clock, day_and_clock
from collector.wire.notifications.nodes import guess_key
from collector.wire.notifications.notification import decode_contents, encoding_of
from collector.wire.values.timestamps import format_date_and_time

Shown = ObservedMessage | ObservedRefusal | ObservedHalfBuilt
"""What has a line."""
COLUMNS: Final = (
    "time", "device", "publisher id", "message id", "segments", "octets", "encoding", "kind",
    "subscription", "generator", "lag", "note",
)  # fmt: skip
RIGHT: Final = frozenset(("message id", "segments", "octets", "lag"))
_ENCODINGS: Final[Mapping[int, str]] = {
    MediaType.YANG_DATA_JSON: "JSON",
    MediaType.YANG_DATA_XML: "XML",
    MediaType.YANG_DATA_CBOR: "CBOR",
    MediaType.CISCO_GPB: "GPB",
    MediaType.CISCO_JSON: "JSON",
    MediaType.HUAWEI_GPB: "GPB",
    MediaType.HUAWEI_JSON: "JSON",
}
_DATA: Final = (NotificationKind.PUSH_UPDATE, NotificationKind.PUSH_CHANGE_UPDATE)
LONGEST: Final = 1000
"""Characters of a path or value that are shown (ours)."""
HALF_BUILT: Final = "half-built"
REFUSED: Final = "refused"


def kind_of(one: Shown) -> str:
    """``push-update`` ..., ``half-built``, or ``refused``."""
    if isinstance(one, ObservedMessage) and one.said is not None:
        return one.said.kind.value
    return HALF_BUILT if isinstance(one, ObservedHalfBuilt) else REFUSED


def plain_values(one: ObservedMessage) -> Any:
    """The whole message as plain values; None when they cannot be read."""
    try:
        return decode_contents(one.payload, one.encoding, one.sids)
    except WireError:
        return None


def contents_of(one: ObservedMessage) -> Any:
    """What the message is about: contents or changes, of other notifications all members."""
    parts = parts_of(plain_values(one))
    if parts is None:
        return None
    if one.said is not None and one.said.kind in _DATA:
        return parts.contents
    return parts.body


# --------------------------------------------------------------------------- JSON
def json_row(one: Shown, *, contents: bool = False) -> dict[str, Any]:
    """One object for a program."""
    row: dict[str, Any] = {
        "row": "message",
        "ts": _seconds(one.arrival),
        "device": one.origin.device or None,
        "src": one.origin.source,
        "sport": one.origin.source_port,
        "dst": one.origin.destination or None,
        "dport": one.origin.destination_port or None,
        "publisher_id": one.publisher_id,
        "message_id": one.message_id,
        "kind": kind_of(one),
    }
    if isinstance(one, ObservedMessage):
        return row | _message_fields(one, contents)
    if isinstance(one, ObservedHalfBuilt):
        note = {"segments": one.note.segments_had, "note": half_built_note(one)}
    else:
        note = {"parse_error": one.note.detail or one.note.reason, "note": one.note.reason}
    return row | note


def _message_fields(one: ObservedMessage, contents: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "version": one.version,
        "media_type": one.media_type,
        "segments": one.segments,
        "payload_len": len(one.payload),
        "payload_sha256": sha256(one.payload).hexdigest(),
        "parse_error": None if one.refused is None else str(one.refused),
        "note": None if one.refused is None else one.refused.reason,
    }
    if one.private_space:
        row["private_space"] = True
    if one.options:
        row["options"] = one.options.hex()
    said = one.said
    if said is None:
        return row
    parts = parts_of(plain_values(one))
    observed = said.observation_time
    row |= {
        "subscription_id": said.subscription_id,
        "generator": said.generator,
        "event_time": None if parts is None else parts.event_time,
        "observation_time": None if observed is None else format_date_and_time(observed),
        "host": said.hostname,
        "seq": said.sequence_number,
        "top": said.root,
    }
    if said.bundled:
        row["bundled"] = [
            {"kind": other.kind.value, "subscription_id": other.subscription_id}
            for other in said.bundled
        ]
    if contents:
        # ASCII with escapes: half a surrogate pair is legal in a JSON text that came
        row["contents"] = msgspec.Raw(json.dumps(for_json(contents_of(one))).encode())
    return row


def _seconds(ns: int) -> msgspec.Raw:
    second, part = divmod(ns, SECOND)
    return msgspec.Raw(f"{second}.{part:09d}".rstrip("0").rstrip(".").encode())


def originator_row(one: OriginatorCount) -> dict[str, Any]:
    """What came of one originator, for a program."""
    return {
        "row": "originator",
        "device": one.device or None,
        "subscription_id": one.subscription_id,
        "generator": one.generator or None,
        "messages": one.messages,
        "segmented": one.segmented,
        "segments": one.segments,
        "octets": one.octets,
        "kinds": dict(one.kinds),
        "first": _seconds(one.first),
        "last": _seconds(one.last),
    }


def ids_row(one: CounterIds) -> dict[str, Any]:
    """One run of Message IDs, for a program."""
    return {
        "row": "ids",
        "device": one.device or None,
        "src": one.source,
        "publisher_id": one.publisher_id,
        "scope": one.scope,
        "subscription_id": one.subscription_id,
        "generators": list(one.generators),
        "first": one.run.first,
        "newest": one.run.newest,
        "messages": one.run.messages,
        "missing": one.run.missing,
        "duplicates": one.run.repeated,
        "overtaken": one.run.overtaken,
        "restarts": one.run.restarts,
        "half_built": one.half_built,
    }


# --------------------------------------------------------------------------- table
def cells(one: Shown, *, whole_time: bool) -> list[Text]:
    """One line of the table; ``whole_time``: with the date."""
    moment = day_and_clock if whole_time else clock
    kind = kind_of(one)
    found = dict.fromkeys(COLUMNS, "")
    found["time"] = moment(one.arrival, digits=6)
    found["device"] = clean(one.origin.device or f"{one.origin.source} (of no device)")
    found["publisher id"] = _number(one.publisher_id)
    found["message id"] = _number(one.message_id)
    found["kind"] = kind
    if isinstance(one, ObservedMessage):
        found |= _message_cells(one)
    elif isinstance(one, ObservedHalfBuilt):
        found["note"] = half_built_note(one)
    else:
        found["note"] = clean(one.note.detail or one.note.reason)
    style = _style(kind)
    return [Text(found[column], style if column == "kind" else "") for column in COLUMNS]


def _message_cells(one: ObservedMessage) -> dict[str, str]:
    found = {
        "segments": str(one.segments),
        "octets": f"{len(one.payload):,}",
        "encoding": _encoding(one),
    }
    said = one.said
    if said is None:
        return found | {"note": clean(str(one.refused))}
    found["subscription"] = _number(said.subscription_id)
    found["generator"] = clean(generator_of(one))
    if said.event_time is not None:
        found["lag"] = f"{(one.arrival - said.event_time) / SECOND:.3f} s"
    found["note"] = _note(one)
    return found


def _note(one: ObservedMessage) -> str:
    said = one.said
    assert said is not None
    notes = []
    if said.incomplete_update:
        notes.append("incomplete-update")
    change = said.state_change
    if change is not None and change.reason is not None:
        notes.append(clean(change.reason))
    if change is not None and change.terms is not None:
        if change.terms.period is not None:
            notes.append(f"every {change.terms.period / SECOND:g} s")
        if change.terms.on_change is not None:
            notes.append("on change")
        listed = change.generators
        names = "no list" if listed is None else f"list: {', '.join(map(clean, listed))}"
        notes.append(names)
    if said.bundled:
        notes.append(f"and {len(said.bundled)} more notifications")
    if said.kind is NotificationKind.OTHER:
        notes.append(clean(said.name))
    return "; ".join(notes)


def half_built_note(one: ObservedHalfBuilt) -> str:
    """How much of it came."""
    total = one.note.segments_total
    of = "" if total is None else f" of {total}"
    return f"{one.note.segments_had}{of} segments after the time to wait for the rest"


def _encoding(one: ObservedMessage) -> str:
    if one.encoding in _ENCODINGS:
        return _ENCODINGS[one.encoding]
    try:
        return encoding_of(one.encoding).name  # of another package
    except WireError:
        return f"private {one.media_type}" if one.private_space else f"MT {one.media_type}"


def _number(number: int | None) -> str:
    return "" if number is None else str(number)


def _style(kind: str) -> str:
    if kind == REFUSED:
        return "bold red"
    if kind == HALF_BUILT:
        return "yellow"
    return "cyan" if kind.startswith("subscription-") else ""


def contents_lines(one: ObservedMessage, schema: Schema = NO_SCHEMA) -> list[str]:
    """Leaves of the contents, one line each; keys of lists are guessed without a schema."""
    found = contents_of(one)
    if one.said is None or one.said.kind is not NotificationKind.PUSH_UPDATE:
        return [_line(path, _text(value)) for path, value in leaves(found)]
    typed = one.encoding != MediaType.YANG_DATA_XML
    flat = flatten(
        found, schema, guess_key=lambda entry: guess_key(entry, typed), sids=one.sids, typed=typed
    )
    lines = [_line(leaf.path, leaf.text) for leaf in flat.leaves]
    return lines if flat.whole else [*lines, "    ... and more"]


def _line(path: str, text: str) -> str:
    return f"    {clean(path, LONGEST)} = {clean(text, LONGEST)}"


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex(" ")
    return value if isinstance(value, str) else str(value)


def for_json(value: Any) -> Any:
    """Plain values as JSON can hold them: what has no JSON becomes its text."""
    if isinstance(value, dict):
        return {str(name): for_json(member) for name, member in value.items()}
    if isinstance(value, list):
        return [for_json(entry) for entry in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return b64encode(value).decode() if isinstance(value, bytes) else str(value)
