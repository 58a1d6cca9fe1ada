"""Selection filters over a data tree: subtree (RFC 6241 §6) and a subset of XPath (``xpath``).

Does: read a filter once, find what it selects in a tree, and cut the tree down to that, ancestors
and list keys included (RFC 6241 §6.2.5, §8.9). Does not: hold data, know owners of list entries
(``selection`` does), look names of filters up.

Rules: what cannot be evaluated is refused with a hint (``filter-unsupported``), what is not there
just selects nothing (RFC 8641 §3.9). Of a subtree filter all five components count: namespaces,
none of them being a wildcard; attributes; containment; selection; content. Identities are
``module:identity`` in the tree; a filter's own prefixes are resolved before they are compared. A
tree is plain values of RFC 7951, or what ``tree_of`` makes of them: one element without a name of
its own, below it the top nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import lru_cache
from typing import Any, Final, cast

from lxml import etree
from msgspec import Struct

from collector.errors import WireError
from collector.model import SelectionFilter
from collector.wire.values import names, xml
from publisher_sim.data.xpath import LIMIT, MODULES, FilterUnsupportedError, compiled, read

__all__ = ["Filter", "FilterUnsupportedError", "compile_filter", "cut", "pruned", "tree_of"]

Node = etree._Element
"""One of the library that evaluates."""
_SN: Final = f"{{{names.NAMESPACES[names.SN]}}}"
_MONITORING: Final = f"{{{MODULES['ietf-netconf-monitoring']}}}"
KEYS: Final[dict[str, tuple[str, ...]]] = {
    f"{_SN}subscription": ("id",),
    f"{_MONITORING}schema": ("identifier", "version", "format"),
    f"{_MONITORING}session": ("session-id",),
}
"""Lists whose keys are not just ``name``."""
_NAME: Final = ("name",)
_NOTHING: Final = object()
_CACHED: Final = 256
"""Filters that are kept ready; ours."""


class Filter(Struct, frozen=True, eq=False):
    """One filter, ready to be evaluated."""

    sources: tuple[etree.XPath, ...]
    """XPaths; empty of a subtree filter."""
    subtree: xml.Element | None
    dynamic: bool
    """What it selects depends on values that may change."""
    keyed: bool
    """It depends on list keys."""
    guarded: tuple[etree.XPath, ...] = ()
    """Paths to what its predicates are on."""
    strict: bool = True
    """False: content matches on anything but list keys are taken for true."""
    possible: Filter | None = None
    """What it could ever select; None: it is that itself."""

    def marks(self, root: Node) -> set[Node]:
        """The nodes that it selects, each with all below it."""
        found: set[Node] = set()
        for one in self.sources:
            found.update(nodes(one, root))
        if self.subtree is not None:
            _select(self.subtree.children, root, found, strict=self.strict)
        return found

    def matches(self, root: Node) -> bool:
        """Does the tree pass (a filter of event records, RFC 8639 §2.2)?"""
        if self.subtree is not None:
            return bool(self.marks(root))
        return any(bool(one(root)) for one in self.sources)


def nodes(path: etree.XPath, root: Node) -> list[Node]:
    """What a path selects; ``xpath`` let none pass that selects anything but elements."""
    return cast(list[Node], path(root))


def compile_filter(wanted: SelectionFilter, *, boolean: bool = False) -> Filter:
    """The filter; ``boolean``: of event records, where an XPath need not select nodes.

    Raises:
        FilterUnsupportedError: it cannot be evaluated; the text says why.
    """
    scope = tuple(sorted(wanted.namespaces.items()))
    return _compiled(wanted.kind, wanted.text, scope, boolean)


@lru_cache(maxsize=_CACHED)
def _compiled(
    kind: str, text: str, scope: tuple[tuple[str, str], ...], boolean: bool
) -> Filter:  # fmt: skip
    if kind == "xpath":
        return _xpath(text, dict(scope), boolean=boolean)
    if kind == "subtree":
        return _subtree(text)
    raise FilterUnsupportedError(f"a filter by reference: no filter {text!r} here")


def _xpath(text: str, scope: Mapping[str, str], *, boolean: bool) -> Filter:
    found = read(text, scope, boolean=boolean)
    namespaces = found.namespaces
    guarded = tuple(compiled(path, namespaces) for path in found.guarded)
    possible = None
    if found.dynamic:
        relaxed = (compiled(found.relaxed, namespaces),)
        possible = Filter(relaxed, None, dynamic=False, keyed=found.keyed)
    whole = (compiled(found.text, namespaces),)
    return Filter(whole, None, found.dynamic, found.keyed, guarded, possible=possible)


def _subtree(text: str) -> Filter:
    if len(text) > LIMIT:
        raise FilterUnsupportedError(f"a filter of more than {LIMIT} characters")
    try:
        root = xml.parse(b"<filter>" + text.encode() + b"</filter>")
    except (WireError, UnicodeEncodeError) as error:
        raise FilterUnsupportedError(f"a subtree that is no XML: {error}") from error
    contents = {one.name for one in _below(root) if one.text}
    if contents <= set(_NAME):
        return Filter((), root, dynamic=False, keyed=bool(contents))
    possible = Filter((), root, dynamic=False, keyed=True, strict=False)
    return Filter((), root, dynamic=True, keyed=True, possible=possible)


def _below(element: xml.Element) -> Iterable[xml.Element]:
    for child in element.children:
        yield child
        yield from _below(child)


# --------------------------------------------------------------------------- subtree filters
def _select(
    wanted: Iterable[xml.Element], parent: Node, found: set[Node], *, strict: bool
) -> None:  # fmt: skip
    """Process one sibling set (RFC 6241 §6.3): content matches first, and all of them."""
    siblings = list(wanted)
    contents = [one for one in siblings if one.text]
    matched: list[Node] = []
    for one in contents:
        leaves = [leaf for leaf in parent if _is_same(one, leaf)]
        if strict or one.name in _NAME:
            leaves = [leaf for leaf in leaves if _has_content(one, leaf)]
        elif not leaves:
            continue
        if not leaves:
            return
        matched.extend(leaves)
    others = [one for one in siblings if not one.text]
    if contents and not others:
        found.add(parent)
        return
    found.update(matched)
    for one in others:
        for child in parent:
            if not _is_same(one, child):
                continue
            if one.children:
                _select(one.children, child, found, strict=strict)
            else:
                found.add(child)


def _is_same(wanted: xml.Element, node: Node) -> bool:
    """The same name, a namespace that is the same or not said, and all attributes that are said."""
    name = etree.QName(node)
    if wanted.name != name.localname or wanted.namespace not in ("", name.namespace):
        return False
    return all(node.get(_tag(key)) == value for key, value in wanted.attributes.items())


def _tag(attribute: str) -> str:
    namespace, _, local = attribute.rpartition(" ")
    return f"{{{namespace}}}{local}" if namespace else local


def _has_content(wanted: xml.Element, leaf: Node) -> bool:
    text = (leaf.text or "").strip()
    if text == wanted.text:
        return True
    prefix, _, local = wanted.text.partition(":")
    uri = wanted.nsmap.get(prefix)
    return uri is not None and f"{names.module_of(uri)}:{local}" == text


# --------------------------------------------------------------------------- trees
def tree_of(values: Mapping[str, Any]) -> Node:
    """Plain values with RFC 7951 names as the tree that filters are evaluated on."""
    root = etree.Element("data")
    _grow(root, values, "")
    return root


def _grow(parent: Node, values: Mapping[str, Any], namespace: str) -> None:
    for name, value in values.items():
        module, _, local = name.rpartition(":")
        own = namespace_of(module) if module else namespace
        tag = f"{{{own}}}{local}"
        for one in value if isinstance(value, list) else (value,):
            child = etree.SubElement(parent, tag)
            if isinstance(one, dict):
                _grow(child, one, own)
            elif one is True or one is False:
                child.text = "true" if one else "false"
            elif one is not None:
                child.text = str(one)


def namespace_of(module: str) -> str:
    """XML namespace of a module."""
    return MODULES.get(module) or names.namespace_of(module)


def cut(values: Mapping[str, Any], node: Node, marks: set[Node]) -> dict[str, Any]:
    """Of plain values what is marked in ``node``, the tree of them; empty when nothing is.

    Containers and list entries of which something is left keep their keys.
    """
    found: dict[str, Any] = {}
    children = iter(node)
    for name, value in values.items():
        if not isinstance(value, list):
            left = _left(value, next(children), marks)
            if left is not _NOTHING:
                found[name] = left
            continue
        entries = [_left(one, next(children), marks) for one in value]
        if kept := [one for one in entries if one is not _NOTHING]:
            found[name] = kept
    return found


def _left(value: Any, node: Node, marks: set[Node]) -> Any:
    if node in marks:
        return value
    found = cut(value, node, marks) if isinstance(value, dict) else {}
    if not found:
        return _NOTHING
    keys = {name: value[name] for name in KEYS.get(str(node.tag), _NAME) if name in value}
    return keys | found


def pruned(node: Node, marks: set[Node]) -> Node | None:
    """A copy of what is marked below ``node``, with ancestors and their keys; None for nothing."""
    if node in marks:
        return deepcopy(node)
    left = [(child, pruned(child, marks)) for child in node]
    if all(kept is None for _, kept in left):
        return None
    namespace = etree.QName(node).namespace
    keys = {f"{{{namespace}}}{name}" for name in KEYS.get(str(node.tag), _NAME)}
    attributes, scope = cast(dict[str, str], node.attrib), cast(dict[str, str], node.nsmap)
    copy = etree.Element(str(node.tag), attributes, nsmap=scope)
    for child, kept in left:
        if kept is not None:
            copy.append(kept)
        elif child.tag in keys:
            copy.append(deepcopy(child))
    return copy
