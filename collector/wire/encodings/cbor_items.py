"""The items of a CBOR message, walked once before anything is built of them.

Does: refuse what no library should meet. Does not: build values (``yang_cbor``), know names.

Rules: no recursion; at most ``MAX_DEPTH`` levels and ``MAX_ITEMS`` items, no length beyond the
octets that came, keys are texts, SID deltas or absolute SIDs (RFC 9254 §3.2), only the tags of
RFC 9254, exactly one item. So a hostile length or tag never reaches the library.
"""

from __future__ import annotations

from typing import Final

from collector.errors import WireError

MAX_DEPTH: Final = 128
"""Levels of maps, arrays and tags that are taken; ours. Deep real data has about 20."""
MAX_ITEMS: Final = 1_000_000
"""Items of a message, keys not counted; ours. An item of one octet costs up to 64 in memory."""
SID_TAG: Final = 47
"""An absolute SID in the place of a delta (RFC 9254 §4.2.1)."""
_TAGS: Final = frozenset((4, 43, 44, 45, 46, SID_TAG))
"""decimal64, bits, enumeration, identityref, instance-identifier, SID (RFC 9254 §9.3)."""
_INDEFINITE: Final = -1
_BREAK: Final = 0xFF
_CLAUSE: Final = "RFC 8949 §5.3.1"


def bad_cbor(message: str, offset: int = 0, reason: str = "bad-cbor") -> WireError:
    """The error for octets that are no CBOR, or none that is taken."""
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
_Keys = set[bytes | int | tuple[int]]
"""Names, deltas, and absolute SIDs as (SID,)."""
_Level = tuple[int, _Keys | None]
"""Of an open map, array or tag: items still to come (``_INDEFINITE``: until a break), and of a map
the keys so far."""


def check(payload: bytes) -> None:
    """Walk over the items of one message once.

    Raises:
        WireError: ``bad-cbor``, ``too-deep``, ``too-many-items``, ``duplicate-member``.
    """
    at, left, items = 0, 1, 0
    keys: _Keys | None = None
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
            items += 1
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
                    raise bad_cbor(f"items nest deeper than {MAX_DEPTH}", at, "too-deep")
                left, keys = opened
                if items + left > MAX_ITEMS:
                    raise bad_cbor(f"more than {MAX_ITEMS} items", at, "too-many-items")
    except IndexError:
        raise bad_cbor("the message ends too early", len(payload)) from None


def _check_end(payload: bytes, at: int) -> None:
    if at > len(payload):
        raise bad_cbor("the message ends too early", len(payload))
    if at < len(payload):
        raise bad_cbor("octets follow the message", at)


def _key(payload: bytes, at: int, keys: _Keys) -> int:
    """Take the key of a member; returns where its value begins."""
    first = payload[at]
    key: bytes | int | tuple[int]
    if 0x60 <= first < 0x78:
        start = at + 1
        end = start + first - 0x60
        key = payload[start:end]
    elif first == 0x78:
        start = at + 2
        end = start + payload[at + 1]
        key = payload[start:end]
    else:
        key, end = _other_key(payload, at)
    if key in keys:
        shown = key[:80].decode(errors="replace") if isinstance(key, bytes) else f"SID {key}"
        message = f"a map names {shown} twice"
        raise WireError("duplicate-member", message, offset=at, clause="RFC 9254 §3")
    keys.add(key)
    return end


def _other_key(payload: bytes, at: int) -> tuple[bytes | int | tuple[int], int]:
    major, argument, end = _head(payload, at)
    if major == 0:
        return argument, end
    if major == 1:
        return -1 - argument, end
    if major == 6 and argument == SID_TAG:
        inner, sid, end = _head(payload, end)
        if inner == 0:
            return (sid,), end
    elif major == 3 and argument != _INDEFINITE:
        start = end
        end = _behind(payload, start, argument)
        return payload[start:end], end
    raise bad_cbor("a key is neither a text of definite length nor a SID", at)


def _head(payload: bytes, at: int) -> tuple[int, int, int]:
    """Major type, argument and end of the head of an item."""
    first = payload[at]
    major, info = first >> 5, first & 31
    if info < 24:
        return major, info, at + 1
    if info == 31 and major not in (0, 1, 6, 7):
        return major, _INDEFINITE, at + 1
    if info > 27:
        raise bad_cbor("an item begins with a reserved octet", at)
    end = _behind(payload, at + 1, 1 << (info - 24))
    return major, int.from_bytes(payload[at + 1 : end], "big"), end


def _behind(payload: bytes, start: int, length: int) -> int:
    if length > len(payload) - start:
        raise bad_cbor("a length goes beyond the message", start)
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
        raise bad_cbor(f"tag {argument} is not of RFC 9254", at)
    return end, (1, None)


def _chunks(payload: bytes, at: int, major: int) -> int:
    """The chunks of a text or octets without length; returns the end."""
    while payload[at] != _BREAK:
        inner, length, end = _head(payload, at)
        if inner != major or length == _INDEFINITE:
            raise bad_cbor("a string is made of something else", at)
        at = _behind(payload, end, length)
    return at + 1
