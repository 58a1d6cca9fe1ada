"""Protocol Buffers on the wire: a walk over the fields of a message before anybody builds it.

Does: prove that a message and the messages in it are whole, of so many fields and levels at most;
find one number without building anything. Does not: know what a field means.

Rules: a message of two octets a field would become a hundred octets of memory a field, so fields
are counted first. Groups (wire types 3 and 4), which nothing here uses, are refused.

Spec: the encoding of Protocol Buffers (varints of 7 bits, little end first; tag = number * 8 +
wire type).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.errors import WireError

MAX_FIELDS: Final = 200_000
"""Fields of one message, those inside it included (ours); a real one of 4 MiB has fewer."""
MAX_DEPTH: Final = 64
"""Levels of messages within messages (ours); the library takes 100."""
_CLAUSE: Final = "Protocol Buffers, encoding"
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT: Final = 10
_LOOKED_AT: Final = 64
"""Fields of each message that ``first_number`` looks at."""

Inside = Mapping[int, Any]
"""field number -> the same for the message that this field holds."""


def bad_gpb(message: str, offset: int = 0) -> WireError:
    """The error for octets that are no such message."""
    return WireError("bad-gpb", message, offset=offset, clause=_CLAUSE)


def read_varint(payload: bytes, at: int, end: int) -> tuple[int, int]:
    """A number and where it ends. Raises WireError."""
    value = shift = 0
    for place in range(at, min(end, at + _LONGEST_VARINT)):
        octet = payload[place]
        value |= (octet & 0x7F) << shift
        if octet < 0x80:
            return value, place + 1
        shift += 7
    raise bad_gpb("a number does not end", at)


def _behind(payload: bytes, at: int, end: int, kind: int) -> tuple[int, int]:
    """Where the value of a field begins (behind its length) and ends. Raises WireError."""
    if kind == _VARINT:
        return at, read_varint(payload, at, end)[1]
    if kind == _LENGTH:
        length, at = read_varint(payload, at, end)
    elif kind in (_FIXED32, _FIXED64):
        length = 4 if kind == _FIXED32 else 8
    else:
        raise bad_gpb(f"wire type {kind} is not used here", at)
    if length > end - at:
        raise bad_gpb("a field goes beyond its message", at)
    return at, at + length


def check(payload: bytes, inside: Inside) -> None:
    """Walk over a message once.

    Args:
        payload: its octets.
        inside: which of its fields are messages.

    Raises:
        WireError: ``bad-gpb``; ``too-deep``: more than ``MAX_DEPTH`` levels; ``too-many-items``:
            more than ``MAX_FIELDS`` fields.
    """
    levels: list[tuple[int, Inside]] = []
    at, end, fields = 0, len(payload), 0
    while True:
        while at == end:
            if not levels:
                return
            end, inside = levels.pop()
        tag, at = read_varint(payload, at, end)
        start, behind = _behind(payload, at, end, tag & 7)
        fields += 1
        if fields > MAX_FIELDS:
            message = f"the message has more than {MAX_FIELDS} fields"
            raise WireError("too-many-items", message, offset=at, clause=_CLAUSE)
        message_in_it = inside.get(tag >> 3) if tag & 7 == _LENGTH else None
        if message_in_it is None:
            at = behind
            continue
        levels.append((end, inside))
        if len(levels) > MAX_DEPTH:
            message = f"messages nest deeper than {MAX_DEPTH}"
            raise WireError("too-deep", message, offset=at, clause=_CLAUSE)
        at, end, inside = start, behind, message_in_it


def first_number(payload: bytes, *path: int) -> int:
    """The number in the first field that a path of field numbers leads to; 0 when there is none,
    as in proto3, or when it does not come among the first fields.

    Raises:
        WireError: ``bad-gpb``.
    """
    at, end = 0, len(payload)
    for level, wanted in enumerate(path, 1):
        kind = _VARINT if level == len(path) else _LENGTH
        for _ in range(_LOOKED_AT):
            if at >= end:
                return 0
            tag, at = read_varint(payload, at, end)
            start, behind = _behind(payload, at, end, tag & 7)
            if tag == wanted << 3 | kind:
                break
            at = behind
        else:
            return 0
        if kind == _VARINT:
            return read_varint(payload, start, behind)[0]
        at, end = start, behind
    return 0
