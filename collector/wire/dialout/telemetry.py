"""Telemetry of gRPC dial-out: what its messages have in common, in whatever encoding they come.

Does: turn the header of a message into a ``Notification``, its rows into a tree of RFC 7951 names
and back, and names of subscriptions into numbers. Does not: read octets (``encodings.gpb``,
``encodings.dialout_json``).

Rules:
* A message is a push-update. Event time is ``msg_timestamp``; the observation time is
  ``collection_start_time``, which may be in the first message of a collection only, else the time
  of the first row. So all messages of a collection fall into one period by the rules that hold for
  every burst; ``collection_id`` and ``collection_end_time`` are kept in the payload and not judged.
* Where nothing names a generator, the device's own name (``node_id_str``) does.
* A subscription that is called by a number has that id; any other text has the id of
  ``subscription_number``.
* Rows hang below a path (``encoding_path``, ``sensor_path``). Keys are put into the entry of the
  last name of the path: without a schema nobody knows to which list above it they belong.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from collector.errors import WireError
from collector.model import DeviceTime, Notification, NotificationKind
from collector.wire.values import names
from collector.wire.values.plain import UINT32_MAX, kept_time

MILLISECOND: Final = 1_000_000
_LONGEST_NUMBER: Final = 10
"""Digits of a uint32."""
_NAMED: Final = 0x8000_0000
"""Set in the id of every subscription that has a name instead of a number."""
_STEP: Final = re.compile(r"/(?![^\[]*\])")
"""Between two names of a path; a key in brackets may hold a slash."""
_KEYS: Final = ("name", "id", "key")
"""Leaves that are taken for the key of an entry when rows are written."""
UPDATE: Final = f"{names.YP}:push-update"


class Header(Struct, gc=False):
    """What every message says of itself; 0 and empty where it does not."""

    node: str
    """``node_id_str``."""
    subscription: str
    """``subscription_id_str``."""
    collection_start: int
    """ms since 1970, as the next ones."""
    message_time: int
    row_time: int = 0
    """Of the first row; only looked at when ``collection_start`` is 0."""
    generator: str = ""
    sequence_number: int | None = None


class Row(Struct, frozen=True):
    """One row."""

    keys: Mapping[str, Any]
    content: Any
    """Members; something else only where the device sends no object."""
    timestamp: int = 0
    """ms since 1970, 0 when not said."""


class Collection(Struct, frozen=True):
    """Which collection a message that is written belongs to."""

    number: int = 0
    """``collection_id``; 0: not said."""
    ends_at: int = 0
    """ms since 1970: ``collection_end_time``, 0 in all messages but the last."""


ALONE: Final = Collection()


def subscription_number(text: str) -> int | None:
    """The id of a subscription that is called ``text``; None for an empty text.

    A decimal number up to 2^32 - 1 stands for itself. Any other text gets the CRC-32 (that of zlib)
    of its UTF-8 octets, with the highest bit set so that it never meets a small number. Two names
    of a device get the same id once in 2^31.
    """
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER:
        number = int(text)
        if number <= UINT32_MAX:
            return number
    return zlib.crc32(text.encode("utf-8", "surrogatepass")) | _NAMED


def as_time(milliseconds: int) -> DeviceTime | None:
    """A time in ms since 1970; None for 0 (not said) and where ns do not fit 64 bits."""
    return kept_time(milliseconds * MILLISECOND) if milliseconds else None


def milliseconds(time: int | None) -> int:
    """ms since 1970 of a time, cut off; 0 for None."""
    return 0 if time is None else time // MILLISECOND


def notification(root: str, header: Header) -> Notification:
    """What a header says.

    Raises:
        WireError: ``no-telemetry``: it names neither a device nor a subscription.
    """
    if not header.node and not header.subscription:
        raise WireError(
            "no-telemetry",
            "the message names neither a device nor a subscription",
            field="node_id_str",
            clause="telemetry.proto",
        )
    node = header.node or None
    return Notification(
        NotificationKind.PUSH_UPDATE,
        UPDATE,
        root,
        subscription_number(header.subscription),
        as_time(header.message_time),
        as_time(header.collection_start or header.row_time),
        None,
        header.generator or node,
        node,
        header.sequence_number,
    )


# --------------------------------------------------------------------------- rows <-> tree
def contents_of(root: str, header: Mapping[str, Any], tree: Any) -> dict[str, Any]:
    """A whole message as plain values: its header, and the rows as an update has them."""
    update = {"id": subscription_number(header.get("subscription_id_str") or "")}
    return {root: dict(header), UPDATE: update | {"datastore-contents": tree}}


def tree_of(path: str, rows: Sequence[Row]) -> Any:
    """The rows below a path, as RFC 7951 has them.

    A list where a row has keys or there are several rows, else what the one row holds; without a
    path the members of all rows.
    """
    steps = [step for step in _STEP.split(path) if step]
    entries = [_entry(row) for row in rows]
    if not steps:
        return joined([one if isinstance(one, dict) else {"content": one} for one in entries])
    several = len(entries) != 1 or any(row.keys for row in rows)
    value: Any = entries if several else entries[0]
    for step in reversed(steps):
        value = {step: value}
    return value


def _entry(row: Row) -> Any:
    if not isinstance(row.content, dict):
        return {**row.keys, "content": row.content} if row.keys else row.content
    return {**row.keys, **row.content}


def joined(trees: list[Any]) -> Any:
    """What several rows hold together, in the first of them: members of objects and entries of
    lists side by side, of two leaves the later one."""
    if not trees:
        return {}
    first = trees[0]
    for other in trees[1:]:
        first = _join(first, other)
    return first


def _join(first: Any, other: Any) -> Any:
    if isinstance(first, dict) and isinstance(other, dict):
        for name, value in other.items():
            first[name] = _join(first[name], value) if name in first else value
        return first
    if isinstance(first, list) and isinstance(other, list):
        first.extend(other)
        return first
    return other


def rows_of(contents: Any) -> tuple[str, list[Row]]:
    """The path and the rows for what ``tree_of`` would give back: the entries of a list on the
    second level a row each, anything else one row without a path."""
    if isinstance(contents, dict) and len(contents) == 1:
        ((top, inner),) = contents.items()
        if isinstance(inner, dict) and len(inner) == 1:
            ((name, entries),) = inner.items()
            if isinstance(entries, list) and all(_has_key(entry) for entry in entries):
                return f"{top}/{name}", [_row(entry) for entry in entries]
    return "", [Row({}, contents)] if contents else []


def _has_key(entry: Any) -> bool:
    return isinstance(entry, dict) and any(key in entry for key in _KEYS)


def _row(entry: Mapping[str, Any]) -> Row:
    key = next(key for key in _KEYS if key in entry)
    return Row({key: entry[key]}, {name: entry[name] for name in entry if name != key})


def merged(members: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Members of an object; what comes several times becomes a list."""
    found: dict[str, Any] = {}
    several: set[str] = set()
    for name, value in members:
        if name not in found:
            found[name] = value
        elif name in several:
            found[name].append(value)
        else:
            found[name] = [found[name], value]
            several.add(name)
    return found
