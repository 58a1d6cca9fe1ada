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
from collector.wire import names, plain
from collector.wire.members import read_message, write_message

MAX_DEPTH: Final = 128
"""Levels of maps, arrays and tags that are taken; ours. Deep real data has about 20."""
_TAGS: Final = frozenset((4, 43, 44, 45, 46, 47))
"""decimal64, bits, enumeration, identityref, instance-identifier, SID (RFC 9254 §9.3)."""
_INDEFINITE: Final = -1
_CLAUSE: Final = "RFC 8949 §5.3.1"


def _bad(message: str, offset: int, reason: str = "bad-cbor") -> WireError:
    return WireError(reason, message, offset=offset, clause=_CLAUSE)


class _Level:
    """One open map, array, tag or string of chunks."""

    __slots__ = ("is_map", "keys", "left", "string")

    def __init__(self, left: int, *, is_map: bool = False, string: int = 0) -> None:
        self.left = left
        """Items still to come; ``_INDEFINITE`` until a break."""
        self.is_map = is_map
        self.keys: set[bytes] | None = set() if is_map else None
        self.string = string
        """Major type of the chunks of a string of indefinite length, else 0."""


class _Walker:
    """Goes over the items of one message once."""

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.at = 0
        self.levels: list[_Level] = []
        self.duplicates = False

    def walk(self) -> None:
        """Raises WireError: ``bad-cbor``, ``too-deep``, ``cbor-sid``, ``duplicate-member``."""
        self._item()
        while self.levels:
            level = self.levels[-1]
            if level.left == 0 or (level.left == _INDEFINITE and self._takes_break()):
                self.levels.pop()
            else:
                self._step(level)
        if self.at != len(self.payload):
            raise _bad("octets follow the message", self.at)

    def _takes_break(self) -> bool:
        if self.payload[self.at : self.at + 1] != b"\xff":
            return False
        self.at += 1
        return True

    def _step(self, level: _Level) -> None:
        if level.left > 0:
            level.left -= 1
        if level.keys is not None:
            self._key(level.keys)
        self._item(level.string)

    def _key(self, keys: set[bytes]) -> None:
        start = self.at
        major, length = self._head()
        if major in (0, 1) or (major == 6 and length == 47):
            message = "a member is named by a SID; names only"
            raise WireError("cbor-sid", message, offset=start, clause="RFC 9254 §3.2")
        if major != 3 or length == _INDEFINITE:
            raise _bad("a key is no text of definite length", start)
        self._take(length)
        key = self.payload[self.at - length : self.at]
        if key in keys:
            message = f"a map names {key[:80].decode(errors='replace')} twice"
            raise WireError("duplicate-member", message, offset=start, clause="RFC 9254 §3.3")
        keys.add(key)

    def _head(self) -> tuple[int, int]:
        """Major type and argument of the next item."""
        start = self.at
        if start >= len(self.payload):
            raise _bad("the message ends too early", start)
        first = self.payload[start]
        major, info = first >> 5, first & 31
        self.at += 1
        if info < 24:
            return major, info
        if info == 31:
            if major in (0, 1, 6, 7):
                raise _bad("an item begins with a reserved octet", start)
            return major, _INDEFINITE
        if info > 27:
            raise _bad("an item begins with a reserved octet", start)
        size = 1 << (info - 24)
        self._take(size)
        if major == 7:
            return major, info  # a float, or a simple value: its octets are no length
        return major, int.from_bytes(self.payload[self.at - size : self.at], "big")

    def _take(self, length: int) -> None:
        if length > len(self.payload) - self.at:
            raise _bad("a length goes beyond the message", self.at)
        self.at += length

    def _item(self, string: int = 0) -> None:
        start = self.at
        major, length = self._head()
        if string and (major != string or length == _INDEFINITE):
            raise _bad("a string is made of something else", start)
        if major in (2, 3):
            if length == _INDEFINITE:
                self._open(_Level(_INDEFINITE, string=major))
            else:
                self._take(length)
        elif major in (4, 5):
            if length > len(self.payload) - self.at:
                raise _bad("a length goes beyond the message", start)
            self._open(_Level(length, is_map=major == 5))
        elif major == 6:
            if length not in _TAGS:
                raise _bad(f"tag {length} is not of RFC 9254", start)
            self._open(_Level(1))

    def _open(self, level: _Level) -> None:
        self.levels.append(level)
        if len(self.levels) > MAX_DEPTH:
            raise _bad(f"items nest deeper than {MAX_DEPTH}", self.at, "too-deep")


def parse_plain(payload: bytes) -> Any:
    """One CBOR item as plain values.

    Raises:
        WireError: ``bad-cbor``, ``too-deep``, ``cbor-sid``, ``duplicate-member``.
    """
    _Walker(payload).walk()
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
            message = plain.for_json(message)
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
