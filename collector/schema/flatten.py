"""Contents as plain values -> leaves: path with list keys, type, canonical value.

Does: walk the value of ``datastore-contents`` (or any data tree) along a schema; where the schema
ends, or there is none, by what the values look like. Does not: know octets or messages.

Rules: a path is an instance-identifier with the names of RFC 7951 §6.11, each list entry with its
keys (``[1]``, ``[2]``: a list that has none), each value of a leaf-list with itself. Where the
schema does not know a node, its leaf is marked ``guessed``: so are its type, the word of JSON for
what was found (``string``, ``number``, ``boolean``, ``empty``), and the keys of lists on the way,
which the caller's rule guesses. Without a schema XML shows neither types nor lists: everything is
``text``, and of a list only what the caller's rule sees. A value that does not fit its type keeps
its text and has the type ``""``. Bounded in depth, leaves and length of a path (ours): what is
beyond is left out and ``whole`` says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from collector.model import NO_SIDS, SidTable
from collector.schema.tree import NO_SCHEMA, Node, Schema
from collector.schema.values import Canonical, Reader, Unfit, predicate, text_of

MAX_LEAVES: Final = 100_000
MAX_DEPTH: Final = 64
MAX_PATH: Final = 4096
"""Characters of a path."""
MAX_TEXT: Final = 16_000_000
"""Characters of all paths of a message: a long name high up is in all of them."""

GuessKey = Callable[[dict[str, Any]], str | None]
"""Entry of a list -> the member that is taken for its key, or None (``notifications.nodes``)."""


class Leaf(Struct, frozen=True, gc=False):
    """One leaf, or one value of a leaf-list."""

    path: str
    """Instance-identifier, as in ``/m:list[name='x']/leaf``."""
    node: str
    """The same without predicates: what to group by."""
    keys: tuple[tuple[str, str], ...]
    """Name and canonical text of every key on the way; the name is empty for a position."""
    type: str
    """Built-in YANG type, of a union that of the member; see above where ``guessed``."""
    value: Canonical
    guessed: bool

    @property
    def text(self) -> str:
        """The value in its canonical text."""
        return text_of(self.type, self.value)

    @property
    def number(self) -> int | Decimal | None:
        """The value where it is a number."""
        value = self.value
        if type(value) is int or (isinstance(value, Decimal) and not value.is_nan()):
            return value
        return None


class Leaves(Struct, frozen=True):
    """The leaves of one message."""

    leaves: tuple[Leaf, ...]
    whole: bool = True
    """False when a bound left something out."""


def flatten(
    contents: Any,
    schema: Schema = NO_SCHEMA,
    *,
    guess_key: GuessKey,
    sids: SidTable = NO_SIDS,
    typed: bool = True,
    lists_marked: bool = True,
) -> Leaves:
    """The leaves of a data tree.

    Args:
        contents: an object with qualified names, as ``datastore-contents`` holds.
        schema: the modules of the device.
        guess_key: for lists that the schema does not know.
        sids: for identities and paths that CBOR gives as SIDs.
        typed: whether the encoding shows types; XML does not.
        lists_marked: whether it tells a list from a container; XML and GPB do not.
    """
    walk = _Walk(schema, sids, guess_key, typed, lists_marked)
    if isinstance(contents, dict):
        walk.members(contents, _At("", "", (), ""), schema.root, MAX_DEPTH)
    return Leaves(tuple(walk.found), walk.whole)


class _At(Struct, frozen=True, gc=False):
    """Where the walk is."""

    path: str
    node: str
    keys: tuple[tuple[str, str], ...]
    module: str

    def below(self, module: str, name: str) -> _At:
        step = f"/{name}" if module == self.module else f"/{module}:{name}"
        return _At(self.path + step, self.node + step, self.keys, module)

    def entry(self, predicates: str, keys: tuple[tuple[str, str], ...]) -> _At:
        return _At(self.path + predicates, self.node, self.keys + keys, self.module)


class _Walk:
    def __init__(
        self,
        schema: Schema,
        sids: SidTable,
        guess_key: GuessKey,
        typed: bool,
        lists_marked: bool,
    ) -> None:
        self.found: list[Leaf] = []
        self.whole = True
        self._left = MAX_TEXT
        self._schema = schema
        self._reader = Reader(schema, sids)
        self._guess_key = guess_key
        self._typed = typed
        self._lists_marked = lists_marked

    def members(self, value: dict[str, Any], at: _At, parent: Node | None, depth: int) -> None:
        """The members of an object; ``parent`` is None where the schema has ended."""
        if depth <= 0 or len(at.path) > MAX_PATH:
            self.whole = False
            return
        for name, member in value.items():
            given, _, local = name.rpartition(":")
            node = self._node(parent, given, local, at.module)
            module = node.module if node is not None else given or at.module
            self._member(member, at.below(_shown(module), _shown(local)), node, depth)

    def _node(self, parent: Node | None, given: str, local: str, module: str) -> Node | None:
        if parent is None:
            return None
        if parent.kind in ("anydata", "anyxml"):
            parent = self._schema.root
        found = self._schema.child(parent, given or module, local)
        if found is None and not given:
            found = parent.locals.get(local)
        return found

    def _member(self, value: Any, at: _At, node: Node | None, depth: int) -> None:
        if node is None:
            self._guessed(value, at, depth)
        elif node.kind == "leaf":
            self._leaf(value, at, node)
        elif node.kind == "leaf-list":
            for entry in value if isinstance(value, list) else [value]:
                self._leaf(entry, at, node)
        elif node.kind == "list":
            entries = value if isinstance(value, list) else [value]
            for number, entry in enumerate(entries, 1):
                if isinstance(entry, dict):
                    self.members(entry, self._entry(entry, at, node, number), node, depth - 1)
        elif isinstance(value, dict):
            self.members(value, at, node, depth - 1)
        elif isinstance(value, list) and value and all(type(one) is dict for one in value):
            for number, entry in enumerate(value, 1):  # a container as an array, seen on devices
                inside = at if len(value) == 1 else at.entry(f"[{number}]", (("", str(number)),))
                self.members(entry, inside, node, depth - 1)
        elif node.kind in ("anydata", "anyxml"):
            self._guessed(value, at, depth)

    def _entry(self, entry: dict[str, Any], at: _At, node: Node, number: int) -> _At:
        """Where an entry of a known list is."""
        keys: list[tuple[str, str]] = []
        for name in node.keys:
            value = entry.get(name, entry.get(f"{node.module}:{name}", entry))
            leaf = node.children.get((node.module, name))
            if value is entry or leaf is None:
                return at.entry(f"[{number}]", (("", str(number)),))
            keys.append((name, self._canonical(value, leaf)[2]))
        if not keys:
            return at.entry(f"[{number}]", (("", str(number)),))
        shown = "".join(predicate(name, _shown(text)) for name, text in keys)
        return at.entry(shown, tuple(keys))

    def _canonical(self, value: Any, node: Node) -> tuple[str, Canonical, str]:
        """Type, value and text of a known leaf."""
        try:
            kind, canonical = self._reader.read(node.type, value)
        except Unfit:
            text = _plain_text(value)
            return "", text, text
        return kind, canonical, text_of(kind, canonical)

    def _leaf(self, value: Any, at: _At, node: Node) -> None:
        kind, canonical, text = self._canonical(value, node)
        if node.kind == "leaf-list":
            at = at.entry(predicate(".", _shown(text)), ())
        self._add(at, kind, canonical, guessed=False)

    # ------------------------------------------------------------------ without a schema
    def _guessed(self, value: Any, at: _At, depth: int) -> None:
        if isinstance(value, dict):
            if not self._lists_marked and self._guess_key(value) is not None:
                self._guessed_list([value], at, depth)
            else:
                self.members(value, at, None, depth - 1)
        elif isinstance(value, list) and value and type(value[0]) is dict:
            self._guessed_list([one for one in value if type(one) is dict], at, depth)
        elif isinstance(value, list) and value != [None]:
            for entry in value:
                kind, canonical = self._guess(entry)
                text = text_of(kind, canonical)
                self._add(at.entry(predicate(".", _shown(text)), ()), kind, canonical, guessed=True)
        else:
            kind, canonical = self._guess(value)
            self._add(at, kind, canonical, guessed=True)

    def _guessed_list(self, entries: list[dict[str, Any]], at: _At, depth: int) -> None:
        keys = [self._guessed_key(entry) for entry in entries]
        times = Counter(keys)
        for number, (entry, key) in enumerate(zip(entries, keys, strict=True), 1):
            if key is None or times[key] > 1:
                inside = at.entry(f"[{number}]", (("", str(number)),))
            else:
                inside = at.entry(predicate(key[0], key[1]), (key,))
            self.members(entry, inside, None, depth - 1)

    def _guessed_key(self, entry: dict[str, Any]) -> tuple[str, str] | None:
        name = self._guess_key(entry)
        if name is None:
            return None
        text = text_of(*self._guess(entry[name]))
        return _shown(name.rpartition(":")[2]), _shown(text)

    def _guess(self, value: Any) -> tuple[str, Canonical]:
        if not self._typed:
            return "text", _plain_text(value)
        if isinstance(value, bool):
            return "boolean", value
        if isinstance(value, int | Decimal):
            return "number", value
        if isinstance(value, float):
            return "number", Decimal(repr(value)) if value == value else "NaN"
        if value is None or value == [None]:
            return "empty", None
        if isinstance(value, bytes):
            return "binary", value
        return getattr(value, "type", "string"), _plain_text(value)

    def _add(self, at: _At, kind: str, value: Canonical, *, guessed: bool) -> None:
        self._left -= len(at.path)
        if len(at.path) > MAX_PATH or len(self.found) >= MAX_LEAVES or self._left < 0:
            self.whole = False
            return
        if isinstance(value, str):
            value = _shown(value)
        self.found.append(Leaf(at.path, at.node, at.keys, kind, value, guessed))


def _plain_text(value: Any) -> str:
    return _shown(value) if isinstance(value, str) else _shown(str(value))


def _shown(text: str) -> str:
    """As it is where every store can take it."""
    if text.isascii():
        return str(text)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, legal in a JSON escape only
        return ascii(text)[1:-1]
    return str(text)
