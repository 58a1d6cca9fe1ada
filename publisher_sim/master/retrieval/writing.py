"""A data tree as XML text.

Does: elements with their namespaces where they change; identities and paths with their prefixes
declared. Does not: select. Rules: in the tree an identity is ``module:identity`` and a path has
module names as prefixes (RFC 7951 §6.8); XML takes any prefix that is declared, so they stay. A
subtree filter is kept as the text that it came in.
"""

from __future__ import annotations

import re
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from collector.wire.values import xml
from publisher_sim.data.filters import namespace_of
from publisher_sim.master.retrieval.origins import ATTRIBUTE, NAMESPACE

_IDENTITY: Final = re.compile(r"[A-Za-z_][\w.-]*:[A-Za-z_][\w.-]*", re.ASCII)
SUBTREE: Final = "-subtree-filter"
"""Nodes whose name ends so hold a filter as text."""


def to_text(node: etree._Element, above: str = "") -> str:
    """The element and all below it.

    Args:
        node: an element of a data tree.
        above: the default namespace where the text is going to stand.
    """
    name = etree.QName(node)
    namespace, text = name.namespace or "", node.text or ""
    start = f"<{name.localname}"
    if namespace != above:
        start += f" xmlns={quoteattr(namespace)}"
    if (origin := node.get(ATTRIBUTE)) is not None:
        start += f' xmlns:or="{NAMESPACE}" or:origin="{origin}"'
    if len(node):
        inside = "".join(to_text(child, namespace) for child in node)
    elif name.localname.endswith(SUBTREE):
        inside = text
    else:
        start += _declared(text)
        inside = escape(text)
    return f"{start}>{inside}</{name.localname}>" if inside else f"{start}/>"


def _declared(text: str) -> str:
    """Declarations of the module names in front of the names in a value."""
    if not text.startswith("/") and _IDENTITY.fullmatch(text) is None:
        return ""
    return "".join(
        f" xmlns:{module}={quoteattr(namespace_of(module))}"
        for module in sorted(xml.used_prefixes(text))
    )
