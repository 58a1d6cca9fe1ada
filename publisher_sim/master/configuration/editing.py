"""Editing: one edit-config carried out on a tree (RFC 6241 §7.2).

Does: merge, replace, create, delete, remove and the default operation, list keys, choices. Does
not: check values (``checking``), lock (``datastores``). Rules: the tree given is never changed; the
first error ends it, so that all of an edit is done or nothing, whatever its error-option.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import Final

from collector.errors import ProtocolError
from collector.wire.values import names, xml
from publisher_sim.master.configuration.schema import (
    ANYDATA,
    CONTAINER,
    LEAF,
    LEAF_LIST,
    LIST,
    Node,
)

ROOT: Final = "config"
OPERATION: Final = f"{names.NETCONF_BASE} operation"
OPERATIONS: Final = ("merge", "replace", "create", "delete", "remove")
_PLAIN: Final = (LEAF, LEAF_LIST, ANYDATA)


def empty() -> xml.Element:
    """A configuration without anything."""
    return xml.Element(names.NETCONF_BASE, ROOT, {}, {})


def edited(
    tree: xml.Element, nodes: Iterable[xml.Element], root: Node, default: str = "merge"
) -> xml.Element:
    """The tree after an edit.

    Args:
        tree: as ``empty`` makes it.
        nodes: what stands inside ``<config>``.
        root: the schema.
        default: the default operation: ``merge``, ``replace`` or ``none``.

    Raises:
        ProtocolError: it is refused; nothing has changed.
    """
    found = empty() if default == "replace" else _clone(tree)
    for node in nodes:
        _apply(found, node, "merge" if default == "replace" else default, root, "")
    _drop_empty(found, root)
    return found


def _clone(element: xml.Element) -> xml.Element:
    same = copy(element)
    same.attributes = dict(element.attributes)
    same.children = [_clone(child) for child in element.children]
    return same


def _apply(parent: xml.Element, edit: xml.Element, inherited: str, above: Node, path: str) -> None:
    path = f"{path}/{edit.name}"
    schema = above.children.get((edit.namespace, edit.name))
    if schema is None:
        raise _unknown(edit, above, path)
    _check_attributes(edit, path)
    operation = edit.attributes.get(OPERATION, inherited)
    if OPERATION in edit.attributes and operation not in OPERATIONS:
        hints = {"bad-attribute": "operation", "bad-element": edit.name}
        raise ProtocolError(
            f"{operation} is no operation", tag="bad-attribute", path=path, hints=hints
        )
    there = _there(parent, edit, schema, path)
    if operation in ("delete", "remove"):
        if there is not None:
            parent.children = [child for child in parent.children if child is not there]
        elif operation == "delete":
            raise ProtocolError(f"{edit.name} is not there", tag="data-missing", path=path)
        return
    if operation == "create" and there is not None:
        raise ProtocolError(f"{edit.name} is there already", tag="data-exists", path=path)
    if operation == "none" and there is None and schema.kind != CONTAINER:
        raise ProtocolError(f"{edit.name} is not there", tag="data-missing", path=path)
    if operation == "replace" and there is not None:
        parent.children = [child for child in parent.children if child is not there]
        there = None
    _put(parent, edit, there, operation, above, schema, path)


def _check_attributes(edit: xml.Element, path: str) -> None:
    """An ``operation`` without its namespace is another attribute, and YANG defines none for nodes:
    taken as nothing it would merge what was to be deleted (RFC 6241 §7.2, §A)."""
    for name in edit.attributes:
        if " " not in name:
            raise ProtocolError(
                f"{edit.name} has no attribute {name} without a namespace",
                tag="unknown-attribute", path=path,
                hints={"bad-attribute": name, "bad-element": edit.name},
            )  # fmt: skip


def _unknown(edit: xml.Element, above: Node, path: str) -> ProtocolError:
    hints = {"bad-element": edit.name}
    if edit.namespace in {namespace for namespace, _ in above.children}:
        return ProtocolError(
            f"there is no {edit.name} here", tag="unknown-element", path=path, hints=hints
        )
    hints["bad-namespace"] = edit.namespace
    return ProtocolError(
        f"{edit.name} of {edit.namespace} is not known here",
        tag="unknown-namespace", path=path, hints=hints,
    )  # fmt: skip


def _there(parent: xml.Element, edit: xml.Element, schema: Node, path: str) -> xml.Element | None:
    """The node that an edit is about; an entry of a list by its key, of a leaf-list by value."""
    same = [
        child
        for child in parent.children
        if (child.namespace, child.name) == (edit.namespace, edit.name)
    ]
    if schema.kind == LIST:
        key = edit.text_of(schema.key)
        if not key:
            hints = {"bad-element": schema.key}
            raise ProtocolError(
                f"an entry of {edit.name} without {schema.key}",
                tag="missing-element", path=path, hints=hints,
            )  # fmt: skip
        same = [child for child in same if child.text_of(schema.key) == key]
    elif schema.kind == LEAF_LIST:
        same = [child for child in same if child.text == edit.text]
    return same[0] if same else None


def _put(
    parent: xml.Element, edit: xml.Element, there: xml.Element | None, operation: str,
    above: Node, schema: Node, path: str,
) -> None:  # fmt: skip
    if schema.kind in _PLAIN:
        if operation == "none":
            return  # only said to lead somewhere
        new = _clone(edit) if schema.kind == ANYDATA else copy(edit)
        new.attributes = {k: v for k, v in edit.attributes.items() if k != OPERATION}
        if schema.kind != ANYDATA and edit.children:
            raise ProtocolError(f"{edit.name} is a leaf", tag="bad-element", path=path,
                                hints={"bad-element": edit.name})  # fmt: skip
        if there is None:
            _add(parent, new, above, schema)
        else:
            parent.children[_place(parent, there)] = new
        return
    if there is None:
        there = xml.Element(edit.namespace, edit.name, {}, edit.nsmap)
        _add(parent, there, above, schema)
    # within what was just made or replaced there is nothing to be missing
    inherited = "merge" if operation in ("create", "replace") else operation
    for child in edit.children:
        is_key = schema.kind == LIST and child.name == schema.key
        _apply(there, child, "merge" if is_key else inherited, schema, path)


def _place(parent: xml.Element, there: xml.Element) -> int:
    return next(place for place, child in enumerate(parent.children) if child is there)


def _add(parent: xml.Element, new: xml.Element, above: Node, schema: Node) -> None:
    """Other cases of its choices go."""
    parent.children = [
        child
        for child in parent.children
        if not schema.others(above.children[child.namespace, child.name])
    ]
    parent.children.append(new)


def _drop_empty(element: xml.Element, schema: Node) -> None:
    """Containers without presence exist as long as something is in them (RFC 7950 §7.5.1)."""
    kept = []
    for child in element.children:
        below = schema.children[child.namespace, child.name]
        if below.kind in (CONTAINER, LIST):
            _drop_empty(child, below)
        if below.kind != CONTAINER or child.children or below.cases:
            kept.append(child)
    element.children = kept
