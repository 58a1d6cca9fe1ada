"""CBOR encoding of YANG data with names (RFC 9254 §3.3): notification messages.

Does: whole messages to plain values and back. Does not: SIDs; a message that has one as a key is
refused under a reason of its own (``cbor-sid``).

Rules: before anything is built the items are walked once, without recursion: at most ``MAX_DEPTH``
levels, no length beyond the octets that came, keys are text, only the tags of RFC 9254, exactly one
item. So a hostile length or tag never reaches the library.
"""

from __future__ import annotations

from typing import Any, Final

import cbor2

from collector.errors import UsageError, WireError
from collector.model import MediaType, Notification
from collector.wire import names, plain_xml
from collector.wire.members import read_message, write_message

MAX_DEPTH: Final = 128
"""Levels of maps, arrays and tags that are taken; ours. Deep real data has about 20."""
_TAGS: Final = frozenset((4, 43, 44, 45, 46, 47))
"""decimal64, bits, enumeration, identityref, instance-identifier, SID (RFC 9254 §9.3)."""
_INDEFINITE: Final = -1
_BREAK: Final = 0xFF
_CLAUSE: Final = "RFC 8949 §5.3.1"


def _bad(message: str, offset: int, reason: str = "bad-cbor") -> WireError:
    return WireError(reason, message, offset=offset, clause=_CLAUSE)


def _sizes() -> tuple[int, ...]:
    """Octets of an item by its first octet, where that alone says it; else 0."""
    sizes = [0] * 256
    for first in (*range(0x18), *range(0x20, 0x38), *range(0xE0, 0xF8)):
        sizes[first] = 1  # small numbers, false, true, null
    for power in range(4):
        for major in (0x00, 0x20, 0xE0):
            sizes[major + 24 + power] = 1 + (1 << power)  # numbers and floats
    for length in range(24):
        sizes[0x40 + length] = sizes[0x60 + length] = 1 + length  # short octets and texts
    return tuple(sizes)


_SIZES: Final = _sizes()
_Level = tuple[int, set[bytes] | None]
"""Of an open map, array or tag: items still to come (``_INDEFINITE``: until a break), and of a map
the keys so far."""


def check(payload: bytes) -> None:
    """Walk over the items of one message once.

    Raises:
        WireError: ``bad-cbor``, ``too-deep``, ``cbor-sid``, ``duplicate-member``.
    """
    at, left = 0, 1
    keys: set[bytes] | None = None
    levels: list[_Level] = []
    try:
        while True:
            while left == 0 or (left == _INDEFINITE and payload[at] == _BREAK):
                at += left == _INDEFINITE
                if not levels:
                    _check_end(payload, at)
                    return
                left, keys = levels.pop()
            if left > 0:
                left -= 1
            if keys is not None:
                at = _key(payload, at, keys)
            size = _SIZES[payload[at]]
            if size:
                at += size
                continue
            at, opened = _item(payload, at)
            if opened is not None:
                levels.append((left, keys))
                if len(levels) > MAX_DEPTH:
                    raise _bad(f"items nest deeper than {MAX_DEPTH}", at, "too-deep")
                left, keys = opened
    except IndexError:
        raise _bad("the message ends too early", len(payload)) from None


def _check_end(payload: bytes, at: int) -> None:
    if at > len(payload):
        raise _bad("the message ends too early", len(payload))
    if at < len(payload):
        raise _bad("octets follow the message", at)


def _key(payload: bytes, at: int, keys: set[bytes]) -> int:
    """Take the key of a member; returns where its value begins."""
    first = payload[at]
    if 0x60 <= first < 0x78:
        start = at + 1
        end = start + first - 0x60
    elif first == 0x78:
        start = at + 2
        end = start + payload[at + 1]
    else:
        start, end = _other_key(payload, at)
    key = payload[start:end]
    if key in keys:
        message = f"a map names {key[:80].decode(errors='replace')} twice"
        raise WireError("duplicate-member", message, offset=at, clause="RFC 9254 §3.3")
    keys.add(key)
    return end


def _other_key(payload: bytes, at: int) -> tuple[int, int]:
    major, argument, start = _head(payload, at)
    if major in (0, 1) or (major == 6 and argument == 47):
        message = "a member is named by a SID; names only"
        raise WireError("cbor-sid", message, offset=at, clause="RFC 9254 §3.2")
    if major != 3 or argument == _INDEFINITE:
        raise _bad("a key is no text of definite length", at)
    return start, _behind(payload, start, argument)


def _head(payload: bytes, at: int) -> tuple[int, int, int]:
    """Major type, argument and end of the head of an item."""
    first = payload[at]
    major, info = first >> 5, first & 31
    if info < 24:
        return major, info, at + 1
    if info == 31 and major not in (0, 1, 6, 7):
        return major, _INDEFINITE, at + 1
    if info > 27:
        raise _bad("an item begins with a reserved octet", at)
    end = _behind(payload, at + 1, 1 << (info - 24))
    return major, int.from_bytes(payload[at + 1 : end], "big"), end


def _behind(payload: bytes, start: int, length: int) -> int:
    if length > len(payload) - start:
        raise _bad("a length goes beyond the message", start)
    return start + length


def _item(payload: bytes, at: int) -> tuple[int, _Level | None]:
    """Any other item: its end, and None or, when it holds others, their level."""
    major, argument, end = _head(payload, at)
    if major in (2, 3):
        if argument == _INDEFINITE:
            return _chunks(payload, end, major), None
        return _behind(payload, end, argument), None
    if major in (4, 5):
        _behind(payload, end, argument)  # each entry has an octet at least
        return end, (argument, set() if major == 5 else None)
    # only tags are left: numbers and simple values have a size of their own
    if argument not in _TAGS:
        raise _bad(f"tag {argument} is not of RFC 9254", at)
    return end, (1, None)


def _chunks(payload: bytes, at: int, major: int) -> int:
    """The chunks of a text or octets without length; returns the end."""
    while payload[at] != _BREAK:
        inner, length, end = _head(payload, at)
        if inner != major or length == _INDEFINITE:
            raise _bad("a string is made of something else", at)
        at = _behind(payload, end, length)
    return at + 1


def parse_plain(payload: bytes) -> Any:
    """One CBOR item as plain values.

    Raises:
        WireError: ``bad-cbor``, ``too-deep``, ``cbor-sid``, ``duplicate-member``.
    """
    check(payload)
    try:
        return cbor2.loads(payload)
    except (cbor2.CBORDecodeError, ValueError, ArithmeticError, TypeError) as error:
        raise WireError("bad-cbor", f"no CBOR: {error}", clause=_CLAUSE) from None


class CborEncoding:
    """``application/yang-data+cbor;id=name``."""

    name = "yang-data-cbor"
    identity = "encode-cbor"
    media_type = int(MediaType.YANG_DATA_CBOR)
    content_type = "application/yang-data+cbor"

    def decode(self, payload: bytes) -> Notification:
        """The envelope. Raises WireError as ``parse_plain`` and ``read_message``."""
        return read_message(parse_plain(payload))

    def decode_contents(self, payload: bytes) -> Any:
        """The whole message as plain values. Raises WireError as ``parse_plain``."""
        return parse_plain(payload)

    def encode(
        self, notification: Notification, contents: Any = None, *, mode: str = names.MODE_MSO
    ) -> bytes:
        """One message; see ``members.write_message``. Raises UsageError.

        Contents are written as given: 64-bit numbers are numbers here (RFC 9254 §6.1), not texts.
        """
        message = write_message(notification, contents, mode=mode)
        if notification.state_change is not None:
            message = plain_xml.for_json(message)
        try:
            return cbor2.dumps(_empty_as_null(message))
        except (cbor2.CBOREncodeError, TypeError, ValueError) as error:
            raise UsageError(f"the contents cannot be written as CBOR: {error}") from error


def _empty_as_null(value: Any) -> Any:
    """``[null]`` of RFC 7951 is ``null`` in CBOR (RFC 9254 §6.10)."""
    if isinstance(value, dict):
        return {name: _empty_as_null(member) for name, member in value.items()}
    if isinstance(value, list):
        return None if value == [None] else [_empty_as_null(entry) for entry in value]
    return value
