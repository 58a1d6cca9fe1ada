"""Paths to nodes of a schema: what a filter selects and what a capability is about, compared.

Does: the steps of absolute paths, out of XPaths, instance-identifiers and subtree filters, whether
one lies above another, and the modules that a filter names. Does not: evaluate XPath, know a
schema.

Rules: an expression that is more than absolute paths joined with ``|`` has no steps (None) rather
than wrong ones; predicates are left out and remembered; names of modules decide only where both are
known for sure, for the module of a vendor's namespace is a guess (``names.module_of``).

Spec: RFC 7950 §9.13 (instance-identifier), RFC 9196 §4.2 (``/`` is every node), RFC 6241 §6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from collector.errors import WireError
from collector.model import SelectionFilter
from collector.wire.values import names, xml

MAX_PATH: Final = 16 * 1024
"""Characters of an expression that are looked at; ours."""
_STEP: Final = re.compile(r"/\s*(?:([A-Za-z_][\w.-]*)\s*:\s*)?([A-Za-z_][\w.-]*)\s*")
_LITERAL: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
MAX_NAMED: Final = 32
"""Modules of one filter that are looked at; ours."""
_PREDICATE: Final = re.compile(r"\[(?:[^\[\]'\"]|'[^']*'|\"[^\"]*\")*\]\s*")


class NodePath(Struct, frozen=True):
    """One absolute path; without steps it is the root, which means every node."""

    steps: tuple[tuple[str, str], ...] = ()
    """(module, local name) from the top; the module is empty where nobody said it."""
    narrowed: bool = False
    """True where predicates or content matches select some entries only."""

    def __str__(self) -> str:
        """For people: the module where it changes (RFC 7951 §4), no predicates."""
        said = ""
        parts = []
        for module, name in self.steps:
            parts.append(name if module in ("", said) else f"{module}:{name}")
            said = module or said
        return "/" + "/".join(parts)

    def above(self, other: NodePath) -> bool:
        """True when ``other`` is this node or one below it; predicates are not looked at."""
        if len(self.steps) > len(other.steps):
            return False
        return all(map(_same, self.steps, other.steps))

    def covers(self, other: NodePath) -> bool:
        """True when every node of ``other`` is certainly one of these."""
        return not self.narrowed and self.above(other)


def _same(one: tuple[str, str], other: tuple[str, str]) -> bool:
    (module, name), (other_module, other_name) = one, other
    if name != other_name:
        return False
    known = module in names.NAMESPACES and other_module in names.NAMESPACES
    return module == other_module or not known


def read_paths(text: str, namespaces: Mapping[str, str]) -> tuple[NodePath, ...] | None:
    """The absolute paths of an expression, in its order; None when it is something else.

    Args:
        text: an XPath or an instance-identifier.
        namespaces: prefix -> XML namespace or module; any other prefix is a module's name.
    """
    if len(text) > MAX_PATH:
        return None
    text = text.strip()
    if text == "/":
        return (NodePath(),)
    found = []
    at = 0
    while True:
        path, at = _read_path(text, at, namespaces)
        if not path.steps:
            return None
        found.append(path)
        if at == len(text):
            return tuple(found)
        bar = re.compile(r"\|\s*").match(text, at)
        if bar is None:
            return None
        at = bar.end()


def _read_path(text: str, at: int, namespaces: Mapping[str, str]) -> tuple[NodePath, int]:
    """The path that begins at ``at``, and where it ends."""
    steps: list[tuple[str, str]] = []
    narrowed = False
    while (step := _STEP.match(text, at)) is not None:
        at = step.end()
        module = steps[-1][0] if steps else ""
        if step[1] is not None:
            module = _module(step[1], namespaces)
        steps.append((module, step[2]))
        while (predicate := _PREDICATE.match(text, at)) is not None:
            at = predicate.end()
            narrowed = True
    return NodePath(tuple(steps), narrowed), at


def _module(prefix: str, namespaces: Mapping[str, str]) -> str:
    meant = namespaces.get(prefix, prefix)
    return names.module_of(meant) if ":" in meant or "/" in meant else meant


def selected_paths(selection: SelectionFilter | None) -> tuple[NodePath, ...] | None:
    """What a filter selects; without one every node; None: it cannot be told."""
    if selection is None:
        return (NodePath(),)
    if selection.kind == "xpath":
        return read_paths(selection.text, selection.namespaces)
    if selection.kind != "subtree" or len(selection.text) > MAX_PATH:
        return None
    try:
        root = xml.parse(b"<filter>" + selection.text.encode() + b"</filter>")
    except WireError:
        return None
    return tuple(path for top in root.children for path in _subtree_paths(top, (), False)) or None


def named_modules(selection: SelectionFilter | None) -> tuple[str, ...]:
    """The modules that a filter names, each once: by name, or by namespace where it says that and
    no module here is known to have it. Of a filter that cannot be read: none."""
    if selection is None or len(selection.text) > MAX_PATH:
        return ()
    if selection.kind == "xpath":
        prefixes = sorted(xml.used_prefixes(_LITERAL.sub("''", selection.text)))
        found = [selection.namespaces.get(prefix, prefix) for prefix in prefixes]
    elif selection.kind == "subtree":
        try:
            root = xml.parse(b"<filter>" + selection.text.encode() + b"</filter>")
        except WireError:
            return ()
        found = list(_namespaces(root))
    else:
        return ()
    return tuple(dict.fromkeys(_named(one) for one in found if one))[:MAX_NAMED]


def unnamed_steps(selection: SelectionFilter | None) -> tuple[str, ...]:
    """First steps of an XPath without a module: such a name is in no namespace (XPath 1.0 §2.3),
    and no node of a datastore is (RFC 8641 §5, datastore-xpath-filter)."""
    if selection is None or selection.kind != "xpath":
        return ()
    paths = read_paths(selection.text, selection.namespaces) or ()
    first = (one.steps[0] for one in paths if one.steps)
    return tuple(dict.fromkeys(name for module, name in first if not module))


def _named(meant: str) -> str:
    """A namespace as the module that is known to have it."""
    module = names.module_of(meant)
    return module if names.NAMESPACES.get(module) == meant else meant


def _namespaces(element: xml.Element) -> Iterator[str]:
    for child in element.children:
        yield child.namespace
        yield from _namespaces(child)


def _subtree_paths(
    element: xml.Element, above: tuple[tuple[str, str], ...], narrowed: bool
) -> Iterator[NodePath]:
    """RFC 6241 §6.2: leaves with a text narrow, the other ones without children select."""
    steps = (*above, (names.module_of(element.namespace), element.name))
    below = [child for child in element.children if child.children or not child.text]
    narrowed = narrowed or len(below) < len(element.children)
    if not below:
        yield NodePath(steps, narrowed)
    for child in below:
        yield from _subtree_paths(child, steps, narrowed)
