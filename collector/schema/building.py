"""Validated pyang modules -> ``Schema``.

Does: copy what reading data needs out of pyang's statements, so that these can go. Does not: load
modules (``loader``). Rules: a module with errors gives what could be understood of it; a leafref
whose target is not there is a string.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from collector.schema import loader
from collector.schema.tree import INTEGERS, STRING, LeafType, Node, Schema

_LEAVES: Final = ("leaf", "leaf-list")
_HOLDERS: Final = ("container", "list", "anydata", "anyxml")
_WITH_LENGTH: Final = ("string", "binary")
_TRANSPARENT: Final = ("choice", "case", "input", "output")
_MAX_LEAFREFS: Final = 16
"""Leafrefs that point at leafrefs, ours."""


def load_schema(folders: Sequence[str | Path]) -> tuple[Schema, tuple[str, ...]]:
    """The modules of folders and what was wrong with them, a sentence each.

    Of each module its newest revision counts; a module that pyang cannot take at all is left out.

    Raises:
        UsageError: a folder that is not there or has no module.
    """
    files = loader.in_rounds(loader.find_modules(folders))
    context = loader.new_context(folders)
    wrong: list[str] = []
    modules: list[Any] = []
    try:
        modules = loader.load(context, files[0])
    except Exception:  # noqa: BLE001 - pyang stumbles over some broken modules: which one is it?
        context = loader.new_context(folders)
        modules = []
        for file in files[0]:
            try:
                modules += loader.load(context, [file])
            except Exception as error:  # noqa: BLE001 - whatever it is, the others are wanted
                wrong.append(f"{file}: pyang cannot take it: {type(error).__name__}")
    from pyang import error as pyang_error

    wrong += [
        f"{position.ref}:{position.line}: {pyang_error.err_to_str(code, arguments)}"
        for position, code, arguments in context.errors
        if pyang_error.is_error(pyang_error.err_level(code))
    ]
    return build(context, modules), tuple(dict.fromkeys(wrong))


def build(context: Any, modules: Iterable[Any]) -> Schema:
    """The schema of validated modules in one context."""
    every = [module for module in context.modules.values() if module.keyword == "module"]
    builder = _Builder(every)
    root = Node("", "", "container")
    for module in modules:
        if module.keyword == "module":
            builder.add_children(root, module)
    return Schema(root, _aliases(every))


def _aliases(modules: Iterable[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    names = {module.arg for module in modules}
    for module in modules:
        namespace = module.search_one("namespace")
        prefix = module.search_one("prefix")
        ways = [prefix.arg] if prefix is not None else []
        if namespace is not None:
            last = namespace.arg.rpartition(":")[2].rpartition("/")[2]
            ways += [namespace.arg, last]
        for way in ways:
            if way and way not in names:
                found.setdefault(way, module.arg)
    return found | {name: name for name in names}


class _Builder:
    def __init__(self, modules: Iterable[Any]) -> None:
        self._derived = _derived_identities(modules)
        self._types: dict[tuple[int, str], LeafType] = {}
        """(id of a type statement, module) -> what it became; groupings share statements."""

    def add_children(self, parent: Node, statement: Any) -> None:
        for child in getattr(statement, "i_children", ()):
            if child.keyword in _TRANSPARENT:
                self.add_children(parent, child)
            elif child.keyword in _LEAVES:
                module = child.i_module.i_modulename
                kind = self._type_of(child, module)
                parent.add(Node(module, child.arg, child.keyword, leaf_type=kind))
            elif child.keyword in _HOLDERS or child.keyword == "notification":
                self._add_holder(parent, child)

    def _add_holder(self, parent: Node, child: Any) -> None:
        keys = getattr(child, "i_key", None) or ()
        kind = "container" if child.keyword == "notification" else child.keyword
        node = Node(
            child.i_module.i_modulename, child.arg, kind, keys=tuple(key.arg for key in keys)
        )
        parent.add(node)
        self.add_children(node, child)

    def _type_of(self, leaf: Any, module: str, depth: int = 0) -> LeafType:
        pointer = getattr(leaf, "i_leafref_ptr", None)
        if pointer is not None and depth < _MAX_LEAFREFS:
            return self._type_of(pointer[0], pointer[0].i_module.i_modulename, depth + 1)
        return self._type(leaf.search_one("type"), module, depth)

    def _type(self, statement: Any, module: str, depth: int) -> LeafType:
        if statement is None:
            return STRING
        key = (id(statement), module)
        found = self._types.get(key)
        if found is None:
            found = self._types[key] = self._new_type(statement, module, depth)
        return found

    def _new_type(self, statement: Any, module: str, depth: int) -> LeafType:
        specification = getattr(statement, "i_type_spec", None)
        builtin = _builtin(statement)
        base = builtin.arg
        if base in INTEGERS or base in _WITH_LENGTH:
            low, high = (_of(specification, name) for name in ("min", "max"))
            return LeafType(base, minimum=_integer(low), maximum=_integer(high))
        if base == "enumeration":
            return LeafType(base, enums=dict(_of(specification, "enums") or ()))
        if base == "bits":
            return LeafType(base, bits=dict(_of(specification, "bits") or ()))
        if base == "decimal64":
            return LeafType(base, fraction_digits=_of(specification, "fraction_digits") or 18)
        if base == "identityref":
            return LeafType(base, module, identities=self._identities(specification))
        if base == "union":
            members = builtin.search("type")
            return LeafType(
                base, members=tuple(self._type(one, module, depth + 1) for one in members)
            )
        if base == "leafref":
            target = _of(specification, "i_target_node")
            if target is None or depth >= _MAX_LEAFREFS:
                return STRING
            return self._type_of(target, target.i_module.i_modulename, depth + 1)
        return LeafType(base)

    def _identities(self, specification: Any) -> frozenset[str]:
        """Derived from all bases (RFC 7950 §9.10.2)."""
        bases = [
            base.i_identity
            for base in _of(specification, "idbases") or ()
            if getattr(base, "i_identity", None) is not None
        ]
        sets = [self._derived.get(_identity_name(base), frozenset()) for base in bases]
        return frozenset.intersection(*sets) if sets else frozenset()


def _builtin(statement: Any) -> Any:
    """The type statement at the end of the typedefs."""
    while (typedef := getattr(statement, "i_typedef", None)) is not None:
        inner = typedef.search_one("type")
        if inner is None:
            break
        statement = inner
    return statement


def _of(specification: Any, name: str) -> Any:
    """An attribute of a pyang type or of the nearest type below that has it."""
    while specification is not None:
        found = getattr(specification, name, None)
        if found is not None:
            return found
        specification = getattr(specification, "base", None)
    return None


def _integer(bound: Any) -> int | None:
    return bound if type(bound) is int else None


def _identity_name(identity: Any) -> str:
    return f"{identity.i_module.i_modulename}:{identity.arg}"


def _derived_identities(modules: Iterable[Any]) -> dict[str, frozenset[str]]:
    """Base -> everything below it, at any depth."""
    below: dict[str, set[str]] = {}
    for module in modules:
        for identity in getattr(module, "i_identities", {}).values():
            for base in identity.search("base"):
                if getattr(base, "i_identity", None) is not None:
                    below.setdefault(_identity_name(base.i_identity), set()).add(
                        _identity_name(identity)
                    )
    found: dict[str, frozenset[str]] = {}
    for base, direct in below.items():
        every: set[str] = set()
        left = list(direct)
        while left:
            name = left.pop()
            if name not in every:
                every.add(name)
                left.extend(below.get(name, ()))
        found[base] = frozenset(every)
    return found
