"""The state of one device as plain data, and back: what lets a restart go on in mid-period.

Does: write the objects of ``state`` and ``state_parts`` under one ``Device`` into a table of plain
values (numbers, texts, lists), references as places in the table, and read that again.
Does not: touch files. Only the classes named here can come back, so that a foreign file makes no
object of another kind.
Rules: plain data, so that reading a file runs nothing; device by device, so that writing never
stalls the loop; a format number leads, and another one is refused.
"""

from __future__ import annotations

from array import array
from collections import deque
from itertools import chain
from typing import Any

import msgspec

from collector.core.memory import state, state_parts
from collector.core.memory.arcs import Arc
from collector.core.memory.state import EMPTY, NO_ARRIVAL, NOBODY, NONE_YET, NOTHING
from collector.errors import UsageError
from collector.model import Provenance, SubscriptionTerms, Update, Verdict

FORMAT = 12
OBJECTS: tuple[type[Any], ...] = (
    state.Device,
    state.Counter,
    state.Run,
    state.Hole,
    state.Restart,
    state.Subscription,
    state_parts.ListInForce,
    state.Originator,
    state_parts.Slot,
    state_parts.Remembered,
    state_parts.Period,
    state_parts.Unknown,
    state_parts.Windows,
    state_parts.Life,
    state_parts.Stranger,
)
VALUES: tuple[type[Any], ...] = (SubscriptionTerms, Update, Verdict)
"""Frozen values, written by their fields; only ever appended to, the place is the code."""
_CODES = {kind: code for code, kind in enumerate(OBJECTS)}
_VALUE_CODES = {kind: code for code, kind in enumerate(VALUES)}
_SEQUENCES: dict[type[Any], str] = {
    list: "l", tuple: "t", set: "s", frozenset: "f", deque: "q", Arc: "a",
}  # fmt: skip
_MAKE: dict[str, Any] = {
    "l": list, "t": tuple, "s": set, "f": frozenset, "q": deque, "a": lambda parts: Arc(*parts),
}  # fmt: skip


_INT64 = 1 << 63


def freeze(device: state.Device, next_offset: int) -> bytes:
    """A device as bytes; ``next_offset`` is the journal offset behind its last input."""
    table: list[Any] = [device]
    places = {id(device): 0}
    rows: list[Any] = []
    for thing in table:  # grows while it is read
        names = _names(type(thing))
        values = [_plain(getattr(thing, name), table, places) for name in names]
        rows.append([_CODES[type(thing)], values])
    return msgspec.msgpack.encode([FORMAT, next_offset, rows])


def _plain(value: Any, table: list[Any], places: dict[int, int]) -> Any:
    kind = type(value)
    if value is None or kind is str or kind is bool:
        return value
    if kind is int:
        # differences of two times, far-off clocks among them: not all have 64 bits
        return value if -_INT64 <= value < _INT64 else ["i", str(value)]
    if kind in _CODES:
        if id(value) not in places:
            places[id(value)] = len(table)
            table.append(value)
        return ["o", places[id(value)]]
    if kind is dict:
        pairs = [
            [_plain(key, table, places), _plain(one, table, places)] for key, one in value.items()
        ]
        return ["d", pairs]
    if kind is array:
        return ["n", _numbers(value)]
    if kind in _SEQUENCES:
        parts = sorted(value) if kind in (set, frozenset) else value
        return [_SEQUENCES[kind], [_plain(one, table, places) for one in parts]]
    if kind in _VALUE_CODES:
        return ["v", _VALUE_CODES[kind], msgspec.to_builtins(value)]
    assert kind is Provenance, f"{kind} has no plain form"
    return ["p", str(value)]


def _numbers(seen: array[int]) -> list[list[int] | None]:
    """A ring, message by message."""
    size = len(EMPTY)
    starts = range(0, len(seen), size)
    return [None if seen[at] == NO_ARRIVAL else seen[at : at + size].tolist() for at in starts]


def thaw(part: bytes) -> tuple[state.Device, int]:
    """The device and the offset behind its last input.

    Raises:
        UsageError: not a snapshot of this format.
    """
    try:
        format_, next_offset, rows = msgspec.msgpack.decode(part)
        if format_ != FORMAT:
            raise UsageError(f"snapshot of format {format_}, this program reads {FORMAT}")
        things = [_empty(code) for code, _ in rows]
        known: dict[Any, Any] = {}
        for thing, (_, values) in zip(things, rows, strict=True):
            names = _names(type(thing))
            for name, value in zip(names, values, strict=True):
                setattr(thing, name, _back(value, things, known))
            _share(thing)
        device = things[0]
    except (ValueError, TypeError, KeyError, IndexError, msgspec.MsgspecError) as error:
        raise UsageError(f"not a snapshot: {error}") from error
    if not isinstance(device, state.Device) or not isinstance(next_offset, int):
        raise UsageError("not the snapshot of a device")
    return device, next_offset


def _names(kind: type[Any]) -> list[str]:
    """Names of what an object holds, in one order for all times."""
    return sorted(getattr(kind, "__struct_fields__", None) or kind.__slots__)


def _empty(code: int) -> Any:
    if OBJECTS[code] is state_parts.Slot:
        return state_parts.Slot(0, 0, 0)
    return object.__new__(OBJECTS[code])


def _share(thing: Any) -> None:
    """What is empty is one for all again, as in an engine that ran on."""
    if type(thing) is state.Originator:
        thing.holes, thing.restarts = thing.holes or NONE_YET, thing.restarts or NONE_YET
        thing.slipped = thing.slipped or NOTHING
    elif type(thing) is state.Subscription:
        thing.known, thing.heard_before = thing.known or NOBODY, thing.heard_before or NOBODY
    elif type(thing) is state.Counter:
        thing.each = thing.each or NONE_YET
    elif type(thing) is state.Hole:
        thing.found = thing.found or NOTHING


def _back(value: Any, things: list[Any], known: dict[Any, Any]) -> Any:
    """A value again.

    Args:
        things: the objects of the table.
        known: texts and numbers so far: equal ones become one object, as they were.
    """
    kind = type(value)
    if kind is str or kind is int:
        return known.setdefault(value, value)
    if kind is not list:
        return value
    mark, content = value[0], value[1]
    if mark == "o":
        return things[content]
    if mark == "d":
        return {_back(key, things, known): _back(one, things, known) for key, one in content}
    if mark == "v":
        return msgspec.convert(_known(value[2], known), VALUES[content])
    if mark == "i":
        return int(content)
    if mark == "n":
        return array("q", chain.from_iterable(EMPTY if one is None else one for one in content))
    if mark == "p":
        return Provenance(content)
    return _MAKE[mark](_back(one, things, known) for one in content)


def _known(value: Any, known: dict[Any, Any]) -> Any:
    """The fields of a value, with the texts and numbers that are known."""
    kind = type(value)
    if kind is str or kind is int:
        return known.setdefault(value, value)
    if kind is dict:
        return {name: _known(one, known) for name, one in value.items()}
    return [_known(one, known) for one in value] if kind is list else value
