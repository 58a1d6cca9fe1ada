"""CBOR values with SIDs, names or both as keys <-> plain values with names (RFC 9254).

Does: turn deltas and absolute SIDs into names and back, tagged values into texts that say their
type, and the enumerations and identities of the envelope into their words. Does not: read octets
(``yang_cbor``), nor know the types of any other leaf (``schema.flatten``).

Rules: a key that is a number counts from the SID of the map it lies in; that of an outermost map
and of a map below a name is 0; arrays in between change nothing (RFC 9254 §3.2). A SID that no
table knows becomes the name ``sid-N``, so that nothing is lost and nothing is invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import cbor2

from collector.model import SID_MAX, SidTable, TypedText
from collector.wire.encodings.cbor_items import SID_TAG, bad_cbor
from collector.wire.values import names
from collector.wire.values.plain import duplicate_member

_TAGGED: Final = {
    43: "bits",
    44: "enumeration",
    45: "identityref",
    46: "instance-identifier",
}
"""Tag -> YANG type (RFC 9254 §9.3)."""
_TAG_OF: Final = {kind: tag for tag, kind in _TAGGED.items()}
_IDENTITIES: Final = frozenset(
    (
        *((names.SN, leaf) for leaf in ("encoding", "transport", "reason")),
        (names.YP, "datastore"),
    )
)
"""Leaves of state changes that are identityrefs, as (module, local name)."""
_WORDS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    (names.OBSERVATION, "point-in-time"): (
        "current-accounting", "initial-state", "state-changed",
    ),
    (names.YP, "excluded-change"): ("create", "delete", "insert", "move", "replace"),
    ("ietf-yang-patch", "operation"): (
        "create", "delete", "insert", "merge", "move", "replace", "remove",
    ),
    ("ietf-yang-patch", "where"): ("before", "after", "first", "last"),
}  # fmt: skip
"""Enumerations of the envelope: their words by value (RFC 9254 §6.6)."""
UNKNOWN: Final = "sid-"
"""What the name of a node or an identity begins with whose SID no table knows."""
_MAX_EXPONENT: Final = 18
"""A decimal64 has at most so many fraction digits (RFC 7950 §9.3.4)."""


class Names:
    """Names for the keys of one message."""

    def __init__(self, sids: SidTable, leave: frozenset[str] = frozenset()) -> None:
        """``leave``: local names of members whose values stay as they came."""
        self._sids = sids
        self._leave = leave
        self.unknown = 0
        """The first SID that nobody knows; 0 for none."""

    def message(self, value: Any) -> Any:
        """A whole message.

        Raises:
            WireError: ``bad-cbor``, ``duplicate-member``.
        """
        return self._value(value, 0, "", None)

    def _members(self, value: Mapping[Any, Any], reference: int, module: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, member in value.items():
            sid = 0
            if isinstance(key, str):
                given, _, local = key.rpartition(":")
                own, name = given or module, key
            else:
                sid = _sid(key, reference)
                own, local = self._node(sid, module)
                name = local if own == module else f"{own}:{local}"
            if name in found:
                raise duplicate_member(name)
            if local not in self._leave:
                member = self._value(member, sid, own, local)
            found[name] = member
        return found

    def _node(self, sid: int, module: str) -> tuple[str, str]:
        node = self._sids.nodes.get(sid)
        if node is None:
            self.unknown = self.unknown or sid
            return module, f"{UNKNOWN}{sid}"
        return node

    def _value(self, value: Any, sid: int, module: str, local: str | None) -> Any:
        kind = type(value)
        if kind is dict:
            return self._members(value, sid, module)
        if kind is list:
            return [self._value(entry, sid, module, local) for entry in value]
        if kind is int:
            return self._number(value, module, local)
        if kind is cbor2.CBORTag:
            return self._tagged(value)
        if kind is Decimal and not -_MAX_EXPONENT <= int(value.as_tuple().exponent) <= 0:
            raise bad_cbor("a decimal fraction is no decimal64")
        if kind is cbor2.CBORSimpleValue or value is cbor2.undefined:
            raise bad_cbor(f"{value} is no value of YANG")
        return value

    def _number(self, value: int, module: str, local: str | None) -> int | str:
        """A number, or the word that it stands for in the envelope."""
        if local is None:
            return value
        leaf = (module, local)
        if leaf in _IDENTITIES:
            return self._identity(value)
        words = _WORDS.get(leaf, ())
        return words[value] if 0 <= value < len(words) else value

    def _tagged(self, value: cbor2.CBORTag) -> int | TypedText:
        """A union member, or a SID in an anyxml (RFC 9254 §4.6)."""
        kind, content = _TAGGED.get(value.tag), value.value
        if isinstance(content, tuple):  # so the library makes arrays inside a tag
            content = list(content)
        if kind is None and type(content) is int:
            return content
        if kind is not None and isinstance(content, str):
            return TypedText(content, kind)
        if kind == "identityref" and type(content) is int:
            return TypedText(self._identity(content), kind, content)
        if kind == "instance-identifier":
            sid, *keys = content if isinstance(content, list) and content else [content]
            if type(sid) is int:
                path = self._sids.paths.get(sid) or f"{UNKNOWN}{sid}"
                shown = "".join(f"[{key}]" for key in keys)
                return TypedText(f"{path}{shown}", kind, content)
        raise bad_cbor(f"tag {value.tag} holds no {kind or 'SID'}")

    def _identity(self, sid: int) -> str:
        return self._sids.identities.get(sid) or f"{UNKNOWN}{sid}"


def _sid(key: Any, reference: int) -> int:
    sid = key.value if isinstance(key, cbor2.CBORTag) else reference + key
    if not 0 < sid <= SID_MAX:
        raise bad_cbor(f"{sid} is no SID")
    return int(sid)


# --------------------------------------------------------------------------- encode
def with_tags(value: Any, module: str = "", local: str = "") -> Any:
    """Plain values as CBOR has them: ``[null]`` is ``null`` (RFC 9254 §6.11), a typed text has its
    tag, and an enumeration of the envelope is its number (RFC 9254 §6.6)."""
    if isinstance(value, dict):
        found = {}
        for name, member in value.items():
            given, _, own_local = name.rpartition(":")
            found[name] = with_tags(member, given or module, own_local)
        return found
    if isinstance(value, list | tuple):
        if len(value) == 1 and value[0] is None:
            return None
        return [with_tags(entry, module, local) for entry in value]
    if isinstance(value, TypedText):
        return cbor2.CBORTag(_TAG_OF[value.type], str(value) if value.raw is None else value.raw)
    if isinstance(value, str):
        words = _WORDS.get((module, local), ())
        return words.index(value) if value in words else str(value)
    return value


def with_sids(value: Any, sids: SidTable, *, absolute: bool = False) -> Any:
    """Names as SIDs wherever they have one; the others stay names (RFC 9254 §3).

    A name that is not below its parent is looked for at the top, since it lies in an anydata.

    Args:
        value: of ``with_tags``.
        sids: what has a SID.
        absolute: below an anydata, write tag 47 instead of the delta (RFC 9254 §4.5.1).
    """
    return _with_sids(value, sids, absolute, 0, "")


def _with_sids(value: Any, sids: SidTable, absolute: bool, reference: int, path: str) -> Any:
    if isinstance(value, list):
        return [_with_sids(entry, sids, absolute, reference, path) for entry in value]
    if not isinstance(value, dict):
        return value
    found: dict[Any, Any] = {}
    for name, member in value.items():
        below, at_top = f"{path}/{name}", f"/{name}"
        sid = sids.sids.get(below) or 0
        if not sid and (sid := sids.sids.get(at_top) or 0):
            below = at_top
        key: Any = name
        if sid:
            moved = absolute and below == at_top and path
            key = cbor2.CBORTag(SID_TAG, sid) if moved else sid - reference
        found[key] = _with_sids(member, sids, absolute, sid, below)
    return found
