"""Filters of get, get-config and get-data, both directions (RFC 6241 §6, §8.9; RFC 8526 §3.1.1).

Does: subtree and XPath filters as values, to XML and back. Does not: apply them.

Rules: attributes are taken with and without the prefix of NETCONF, since clients write both; of the
prefixes of an XPath only those that it uses are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import quoteattr

from collector.errors import ProtocolError, UsageError
from collector.model import SelectionFilter
from collector.wire.values import names, xml


# --------------------------------------------------------------------------- decode
def read_filter(element: xml.Element | None) -> SelectionFilter | None:
    """The ``<filter>`` of get and get-config (RFC 6241 §6, §8.9).

    Raises:
        ProtocolError: ``bad-attribute``, ``missing-attribute``.
    """
    if element is None:
        return None
    kind = _attribute(element, "type") or "subtree"
    if kind == "subtree":
        return SelectionFilter("subtree", xml.inner_text(element))
    if kind != "xpath":
        raise refused("bad-attribute", f"{kind} is no type of filter", "filter", "type")
    select = _attribute(element, "select")
    if select is None:
        raise refused("missing-attribute", "the XPath filter selects nothing", "filter", "select")
    return xpath_filter(select, element.nsmap)


def _attribute(element: xml.Element, name: str) -> str | None:
    """With or without the prefix of NETCONF: clients write both."""
    return element.attributes.get(name, element.attributes.get(f"{names.NETCONF_BASE} {name}"))


def xpath_filter(select: str, scope: Mapping[str, str]) -> SelectionFilter:
    """An XPath with what its prefixes stand for; ``scope``: all that is declared."""
    used = sorted(xml.used_prefixes(select) & scope.keys())
    return SelectionFilter("xpath", select.strip(), {prefix: scope[prefix] for prefix in used})


def refused(tag: str, message: str, element: str, attribute: str = "") -> ProtocolError:
    """What a server says of an element or attribute (RFC 6241 §A)."""
    hints = {"bad-attribute": attribute} if attribute else {}
    return ProtocolError(message, tag=tag, hints=hints | {"bad-element": element})


# --------------------------------------------------------------------------- encode
def write_filter(selection: SelectionFilter) -> str:
    """``<filter>`` as text, for a parent in NETCONF's namespace.

    Raises:
        UsageError: a filter by reference.
    """
    if selection.kind == "subtree":
        return f'<filter type="subtree">{selection.text}</filter>'
    scope = xpath_scope(selection)
    return f'<filter{scope} type="xpath" select={quoteattr(selection.text)}/>'


def xpath_scope(selection: SelectionFilter) -> str:
    """Declarations of the prefixes; one that nobody declared is taken for a module name.

    Raises:
        UsageError: a filter by reference.
    """
    if selection.kind != "xpath":
        raise UsageError(f"a {selection.kind} is no filter of data")
    prefixes = sorted(xml.used_prefixes(selection.text) | selection.namespaces.keys())
    return "".join(
        f" xmlns:{prefix}={quoteattr(names.namespace_of(selection.namespaces.get(prefix, prefix)))}"
        for prefix in prefixes
    )
