"""What get-data can ask for beside a filter: less depth, or no configuration (RFC 8526 §3.1.1).

Does not: filter. Both change the tree that they are given.
"""

from __future__ import annotations

from lxml import etree

from publisher_sim.data.filters import KEYS

_NAME = ("name",)


def cut_below(node: etree._Element, depth: int) -> None:
    """Leave so many levels, the node itself being the first (``max-depth``)."""
    for child in list(node):
        if depth == 1:
            node.remove(child)
        else:
            cut_below(child, depth - 1)


def take_away(node: etree._Element, other: etree._Element) -> None:
    """Take what ``other`` has too out of ``node``; keys stay where something else does.

    With the configuration as ``other``, state is left: ``config-filter`` false.
    """
    keys = _keys(node)
    for child in list(node):
        twin = _twin(child, other)
        if twin is None or child.tag in keys:
            continue
        if len(child):
            take_away(child, twin)
            if all(one.tag in _keys(child) for one in child):
                node.remove(child)
        else:
            node.remove(child)


def _keys(node: etree._Element) -> set[str]:
    """Tags of the keys that the node has if it is a list entry."""
    namespace = etree.QName(node).namespace
    return {f"{{{namespace}}}{name}" for name in KEYS.get(str(node.tag), _NAME)}


def _twin(node: etree._Element, parent: etree._Element) -> etree._Element | None:
    """The child of ``parent`` that is the same node: the same name and the same keys."""
    keys = _keys(node)
    for one in parent.findall(str(node.tag)):
        if all(one.findtext(key) == node.findtext(key) for key in keys):
            return one
    return None
