"""The state of a device as one data tree, built anew for each question.

Does: ask those who know a part of it, and put the parts together. Does not: know any part, filter
(``filters``), hide anything (``access``).

Rules: a part is a top-level node; whoever provides it returns plain values with RFC 7951 names, or
None when it is not there just now. Only the parts that a filter can be about are built: asking for
one node must not cost the device its whole inventory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from lxml import etree

from collector.model import PrefixedText, SelectionFilter
from collector.wire.values import names, xml
from collector.wire.values.plain import SubtreeText, XPathText
from collector.wire.values.plain_xml import for_json
from publisher_sim.data.filters import tree_of

Provider = Callable[[int], Mapping[str, Any] | None]
"""now (ns since 1970) -> the members of a top-level container."""
_NAMES: Final = re.compile(r"[A-Za-z_][\w.-]*")
_ANYTHING: Final = re.compile(r"\*|//|\(|::")
"""In an XPath: it may be about nodes that it does not name."""


class StateTree:
    """Who knows which part."""

    def __init__(self) -> None:
        self._parts: dict[str, Provider] = {}
        """``module:name`` of a top-level node -> who knows it, in the order of the tree."""

    def add(self, name: str, provider: Provider) -> None:
        """From now on ``module:name`` is asked of this one, whoever it was before."""
        self._parts[name] = provider

    def build(self, selection: SelectionFilter | None, now: int) -> etree._Element:
        """A root above the parts that a filter can be about; new, the caller may change it."""
        return tree_of(
            {
                name: _plain(values)
                for name in touched(self._parts, selection)
                if (values := self._parts[name](now)) is not None
            }
        )


def touched(parts: Mapping[str, object], selection: SelectionFilter | None) -> list[str]:
    """Of ``module:name`` those that a filter can be about; too many are no harm."""
    if selection is None:
        return list(parts)
    if selection.kind == "xpath":
        if _ANYTHING.search(selection.text):
            return list(parts)
        named = set(_NAMES.findall(selection.text))
    else:
        named = {top.name for top in xml.fragment(selection.text)}
    return [name for name in parts if names.local_name(name) in named]


def with_modules(value: PrefixedText) -> str:
    """An identity or a path whose prefixes were declared, with the names of modules instead."""
    modules = {prefix: names.module_of(uri) for prefix, uri in value.namespaces.items()}
    return xml.replace_prefixes(value, modules)


def _plain(value: Any) -> Any:
    """Paths by module names; a subtree filter stays a text, whatever names are in it."""
    if isinstance(value, XPathText):
        return for_json(value)
    if isinstance(value, PrefixedText):
        return with_modules(value)
    if isinstance(value, SubtreeText):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return value
