"""YANG schema trees as plain frozen values: what reading data needs of a set of modules.

Does: hold data nodes, list keys and types. Does not: load modules (``building``), read data
(``flatten``), check constraints.

Rules: choices and cases are not there, since data does not show them (RFC 7950 §7.9); a leafref has
the type that it points at; what a typedef adds is in the type itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

INTEGERS: Final[Mapping[str, tuple[int, int]]] = {
    f"{sign}int{bits}": (-(1 << bits - 1) if not sign else 0, (1 << bits - (not sign)) - 1)
    for sign in ("", "u")
    for bits in (8, 16, 32, 64)
}
"""Integer types: smallest and largest value (RFC 7950 §9.2)."""


class LeafType(Struct, frozen=True):
    """The type of a leaf or leaf-list."""

    base: str
    """Built-in type (RFC 7950 §4.2.4); never ``leafref``."""
    module: str = ""
    """Module of the leaf: that of an identity without one."""
    minimum: int | None = None
    """Of integers, where a range says more than the type; of strings and binaries their length,
    which only unions need."""
    maximum: int | None = None
    enums: Mapping[str, int] = {}
    """Name -> value."""
    bits: Mapping[str, int] = {}
    """Name -> position."""
    fraction_digits: int = 0
    identities: frozenset[str] = frozenset()
    """``module:identity`` of all that are derived from the base."""
    members: tuple[LeafType, ...] = ()
    """Of a union, in its order."""


STRING: Final = LeafType("string")


class Node:
    """A data node; not changed once the tree is built."""

    __slots__ = ("children", "keys", "kind", "locals", "module", "name", "type")

    def __init__(
        self,
        module: str,
        name: str,
        kind: str,
        *,
        keys: tuple[str, ...] = (),
        leaf_type: LeafType = STRING,
    ) -> None:
        """Args:
        kind: ``container``, ``list``, ``leaf``, ``leaf-list``, ``anydata`` or ``anyxml``; what
            else holds data nodes (a notification) is a container.
        """
        self.module = module
        self.name = name
        self.kind = kind
        self.keys = keys
        """Local names of the keys of a list, in the order of its ``key`` statement."""
        self.type = leaf_type
        self.children: dict[tuple[str, str], Node] = {}
        """(module, local name) -> child."""
        self.locals: dict[str, Node] = {}
        """Local name -> the first child of that name, for peers that leave the module out."""

    def add(self, child: Node) -> None:
        """While the tree is built."""
        self.children[child.module, child.name] = child
        self.locals.setdefault(child.name, child)


class Schema:
    """A set of modules; not changed once it is built."""

    __slots__ = ("aliases", "root")

    def __init__(self, root: Node, aliases: Mapping[str, str]) -> None:
        """Args:
        root: holds the top-level nodes.
        aliases: every way in which a peer names a module -> its name: the name itself, its
            namespace, the last part of that, its prefix.
        """
        self.root = root
        self.aliases = dict(aliases)

    def child(self, parent: Node, module: str, name: str) -> Node | None:
        """The child with that name, or None.

        Args:
            module: what the peer says, or the parent's where it says nothing.
        """
        found = parent.children.get((module, name))
        if found is None:
            known = self.aliases.get(module)
            found = parent.children.get((known, name)) if known else None
        return found


NO_SCHEMA: Final = Schema(Node("", "", "container"), {})
"""No modules at all."""
