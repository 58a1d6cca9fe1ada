"""Which nodes an update holds: plain contents -> the paths of list entries, with their keys.

Does: find ``datastore-contents`` in a message as plain values, and name what is in it. Does not:
know a schema, so the key of a list entry is guessed: ``name``, ``id`` or ``key``, else its first
leaf; an entry that such a key does not tell from its neighbours in the message has no name.

Rules: a node is a list entry, or a container within one, that holds a leaf of its own other than
the key (an ancestor with nothing but its key belongs to nobody); outside lists it is the leaf.
XML shows neither lists nor keys, and a list with one entry looks like a container: there whatever
has a ``name``, ``id`` or ``key`` is an entry, and leaves outside entries are nobody's.
Names are those of RFC 7951 §4, paths look like ``/module:list[name=x]/container``; depth, count
and lengths are bounded (ours), what is beyond is left out, and ``whole`` says so.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from msgspec import Struct

from collector.model import NO_SIDS, MediaType, SidTable
from collector.wire.notifications.notification import skim_contents
from collector.wire.values.names import ROOT_ENVELOPE, ROOT_NOTIFICATION, local_name

MAX_NODES: Final = 20_000
MAX_DEPTH: Final = 32
MAX_PATH: Final = 1024
"""Characters of a path."""
KEYS: Final = ("name", "id", "key")
_WRAPPERS: Final = frozenset(
    (
        "envelope", "notification", "message", "contents", "notification-contents",
        "notifications", "push-update",
    )
)  # fmt: skip
_CONTENTS: Final = "datastore-contents"
_USUAL: Final = {
    name: local_name(name)
    for name in (
        ROOT_ENVELOPE, ROOT_NOTIFICATION, "contents", "ietf-yang-push:push-update", _CONTENTS
    )
}  # fmt: skip
"""Looked up, since cutting a name costs as much as all else that is done with it."""
_UNMARKED: Final = (MediaType.YANG_DATA_XML, MediaType.CISCO_GPB)
"""Where a list with one entry looks like a container."""


class NodeIds(Struct, frozen=True):
    """The nodes of one update."""

    ids: frozenset[str]
    whole: bool
    """False when a bound left something out."""


def nodes_of(message: object, *, lists_marked: bool, place: int = 0) -> NodeIds:
    """The nodes of a push-update.

    Args:
        message: the whole message as plain values (``decode_contents``).
        lists_marked: whether the encoding tells a list from a container: JSON and CBOR do.
        place: which notification, where the message bundles several.
    """
    walk = _Walk(lists_marked)
    contents = contents_of(message, place)
    if isinstance(contents, dict):
        walk.members(contents, "", False, MAX_DEPTH)
    return NodeIds(frozenset(walk.found), walk.whole)


def read_nodes(
    payload: bytes, media_type: int, place: int = 0, sids: SidTable = NO_SIDS
) -> NodeIds:
    """The nodes of a push-update whose envelope was read before (``notification.decode``).

    ``place``: which notification, where the message bundles several. ``sids``: of its sender.

    Raises:
        WireError: the contents cannot be read.
    """
    message = skim_contents(payload, media_type, sids)
    return nodes_of(message, lists_marked=lists_marked(media_type), place=place)


def lists_marked(media_type: int) -> bool:
    """Whether an encoding tells a list from a container."""
    return media_type not in _UNMARKED


def guess_key(entry: dict[str, Any], lists_marked: bool) -> str | None:
    """The member of a list entry that is taken for its key; None where there is none."""
    name = entry.get(KEYS[0])
    if isinstance(name, str):
        return KEYS[0]  # nearly always
    leaves = {
        local_name(name): name
        for name, member in reversed(entry.items())
        if not isinstance(member, dict | list) and member is not None
    }
    for name in KEYS:
        if name in leaves:
            return leaves[name]
    return next(reversed(leaves.values()), None) if lists_marked else None


def contents_of(message: object, place: int = 0) -> object:
    """The value of ``datastore-contents`` in a message as plain values; None without one.

    ``place``: of which notification, where the message bundles several.
    """
    return _contents_of(message, len(_WRAPPERS), place)


def entry_of(node: str) -> str:
    """The innermost list entry that a node is or lies in; the node itself outside lists."""
    end = node.rfind("]")
    return node if end < 0 else node[: end + 1]


def _contents_of(value: object, depth: int, place: int) -> object:
    """The value of the first ``datastore-contents`` within the known wrappers, or within that one
    of several notifications."""
    if isinstance(value, list) and value:
        value = value[place if place < len(value) else 0]
    if not isinstance(value, dict) or not depth:
        return None
    inner = []
    for name, member in value.items():
        kind = type(member)
        if kind is dict or kind is list:
            local = _USUAL.get(name) or local_name(name)
            if local == _CONTENTS:
                return member
            if local in _WRAPPERS:
                inner.append(member)
    for member in inner:
        if (found := _contents_of(member, depth - 1, place)) is not None:
            return found
    return None


class _Walk:
    """What was found so far."""

    def __init__(self, lists_marked: bool) -> None:
        self.found: set[str] = set()
        self.whole = True
        self._lists_marked = lists_marked

    def members(self, value: dict[str, Any], path: str, inside: bool, depth: int) -> None:
        """An object that is no list entry; ``inside``: it lies in one."""
        leaves = []
        for name, member in value.items():
            kind = type(member)
            if (kind is dict or kind is list) and self._inner(name, member, path, inside, depth):
                continue
            leaves.append(name)
        if not leaves:
            return
        if inside:
            self._add(path)
        elif self._lists_marked:
            for name in leaves:
                self._add(f"{path}/{_shown(name)}")

    def _entry(self, value: dict[str, Any], path: str, depth: int) -> None:
        leaves = len(value) - 1
        for name, member in value.items():
            kind = type(member)
            if (kind is dict or kind is list) and self._inner(name, member, path, True, depth):
                leaves -= 1
        if leaves or len(value) == 1:
            self._add(path)

    def _inner(
        self, name: str, member: dict[str, Any] | list[Any], path: str, inside: bool, depth: int
    ) -> bool:
        """Go into an object or an array; False when it is a leaf-list."""
        entries = (
            [member] if isinstance(member, dict) else [one for one in member if type(one) is dict]
        )
        if not entries:
            return False
        if depth <= 1 or len(path) > MAX_PATH:
            self.whole = False
            return True
        below = f"{path}/{_shown(name)}"
        if isinstance(member, dict) and (self._lists_marked or self._key(member) is None):
            self.members(member, below, inside, depth - 1)
        else:
            self._list(entries, below, depth - 1)
        return True

    def _list(self, entries: list[dict[str, Any]], path: str, depth: int) -> None:
        keys = [self._key(entry) for entry in entries]
        texts = [
            None if key is None else f"{path}[{_shown(local_name(key))}={_shown(str(entry[key]))}]"
            for entry, key in zip(entries, keys, strict=True)
        ]
        times = Counter(texts) if len(set(texts)) < len(texts) else {}
        for entry, text in zip(entries, texts, strict=True):
            if text is not None and times.get(text, 1) == 1:
                self._entry(entry, text, depth)

    def _key(self, entry: dict[str, Any]) -> str | None:
        return guess_key(entry, self._lists_marked)

    def _add(self, path: str) -> None:
        if len(path) <= MAX_PATH and len(self.found) < MAX_NODES:
            self.found.add(path)
        else:
            self.whole = False


def _shown(text: str) -> str:
    """As it is where every store and screen can take it."""
    return text if text.isprintable() else ascii(text)[1:-1]
