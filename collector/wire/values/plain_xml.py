"""Plain values <-> XML documents, and plain values made ready for JSON and CBOR.

Does: an XML tree into plain values (see ``plain``) and back, and the two values that XML and the
other encodings write differently: paths and subtree filters. Does not: know a schema.

Rules: what comes from a peer is read and written as text here; the XML library only writes what is
ours, since it keeps every name that it was ever given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from collector.errors import UsageError, WireError
from collector.model import PrefixedText
from collector.wire.values import names, xml
from collector.wire.values.plain import (
    IdentityText,
    SubtreeText,
    VerbatimText,
    XPathText,
    bad_value,
)

_NODE_NAME: Final = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_IDENTITY: Final = re.compile(r"([A-Za-z_][\w.-]*):([A-Za-z_][\w.-]*)", re.ASCII)
"""``module:identity``: without a schema, what looks like one and names a known module is one."""


# --------------------------------------------------------------------------- decode
def from_xml(element: xml.Element, module: str) -> dict[str, Any]:
    """Children of an element of ``module`` as plain values."""
    found: dict[str, Any] = {}
    repeated: set[str] = set()
    for child in element.children:
        child_module = names.module_of(child.namespace)
        name = child.name if child_module == module else f"{child_module}:{child.name}"
        value = _value_of(child, child_module)
        if name not in found:
            found[name] = value
        elif name in repeated:
            found[name].append(value)
        else:
            repeated.add(name)
            found[name] = [found[name], value]
    return found


def message_from_xml(root: xml.Element) -> dict[str, Any]:
    """A whole document as a plain message: one member, the root."""
    module = names.module_of(root.namespace)
    return {f"{module}:{root.name}": from_xml(root, module)}


def _value_of(element: xml.Element, module: str) -> Any:
    if element.name.endswith("-subtree-filter"):
        return SubtreeText(xml.inner_text(element))
    if element.children:
        return from_xml(element, module)
    text = element.text
    if element.name.endswith("-xpath-filter"):
        return XPathText(text, _used_namespaces(element))
    if ":" in text and (text.startswith("/") or _IDENTITY.fullmatch(text)):
        # it may be an instance-identifier or an identity: who has a schema can tell
        used = _used_namespaces(element)
        return PrefixedText(text, used) if used else text
    return text


def _used_namespaces(element: xml.Element) -> dict[str, str]:
    """Of the prefixes in its text, those that are declared."""
    used, scope = xml.used_prefixes(element.text), element.nsmap
    return {prefix: scope[prefix] for prefix in sorted(used) if prefix in scope}


# --------------------------------------------------------------------------- encode
def add_xml(parent: etree._Element, name: str, value: Any, module: str) -> None:
    """Append a plain member to an element of ``module``.

    Raises:
        UsageError: the value cannot be written as XML.
    """
    if isinstance(value, list) and value != [None]:
        for entry in value:
            add_xml(parent, name, entry, module)
        return
    given, _, local = name.rpartition(":")
    own = given or module
    try:
        _add_element(parent, local, value, own)
    except (ValueError, TypeError, etree.LxmlError) as error:
        raise UsageError(f"{name} cannot be written as XML: {error}") from error


def _add_element(parent: etree._Element, local: str, value: Any, module: str) -> None:
    namespace = names.namespace_of(module)
    scope: dict[Any, str] = {None: namespace}  # lxml: None is the default namespace
    text = ""
    if isinstance(value, XPathText):
        text = str(value)
        scope |= _xpath_scope(value)
    elif isinstance(value, IdentityText):
        text = str(value)
        scope |= value.namespaces
    elif not isinstance(value, dict | SubtreeText):
        text, prefixes = _leaf_text(value, module)
        scope |= prefixes
    element = etree.SubElement(parent, f"{{{namespace}}}{local}", nsmap=scope)
    if text:
        element.text = text
    if isinstance(value, SubtreeText):
        for child in etree.fromstring(f"<_>{value}</_>", xml_parser()):
            element.append(child)
    elif isinstance(value, dict):
        for name, member in value.items():
            add_xml(element, name, member, module)


def _xpath_scope(path: XPathText) -> dict[str, str]:
    """Namespaces of the prefixes.

    One that nobody declared is the name of a module, and a publisher knows those of all its modules
    itself (RFC 8641 §5, datastore-xpath-filter): where the namespace would be a guess it is left to
    it, for a wrong one would count, and select nothing.
    """
    prefixes = sorted(xml.used_prefixes(path) | path.namespaces.keys())
    meant = {prefix: path.namespaces.get(prefix, prefix) for prefix in prefixes}
    return {
        prefix: names.namespace_of(module)
        for prefix, module in meant.items()
        if prefix in path.namespaces or names.has_known_namespace(module)
    }


def _leaf_text(value: Any, module: str) -> tuple[str, dict[str, str]]:
    """Text of a leaf, and the prefixes that an identity of a known module needs."""
    if isinstance(value, bool):
        return ("true" if value else "false"), {}
    if value is None or value == [None]:
        return "", {}
    text = str(value)
    if isinstance(value, VerbatimText):
        return text, {}
    match = _IDENTITY.fullmatch(text)
    if match is None or match[1] not in names.PREFIXES:
        return text, {}
    if match[1] == module:
        return match[2], {}
    prefix = names.PREFIXES[match[1]]
    return f"{prefix}:{match[2]}", {prefix: names.NAMESPACES[match[1]]}


def xml_parser() -> etree.XMLParser:
    """A parser for XML text of our own; nothing is fetched or expanded."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def subtree_text(subtree: Mapping[str, Any], module: str = "") -> str:
    """A subtree filter given as plain values, as XML text.

    Joined as text, since it is read from a peer: the library that writes XML would keep every name
    that it was ever given.

    Raises:
        WireError: ``bad-value``: a name that XML does not have.
    """
    return "".join(_node_text(name, value, module) for name, value in subtree.items())


def _node_text(name: str, value: Any, module: str) -> str:
    if isinstance(value, list) and value != [None]:
        return "".join(_node_text(name, entry, module) for entry in value)
    given, _, local = name.rpartition(":")
    if _NODE_NAME.fullmatch(local) is None:
        raise bad_value("subtree-filter", name)
    start = local
    if given:
        start += f" xmlns={quoteattr(names.namespace_of(given))}"
    own = given or module
    if isinstance(value, dict):
        inside = subtree_text(value, own)
    else:
        text, prefixes = _leaf_text(value, own)
        start += "".join(f" xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in prefixes.items())
        inside = escape(text)
    return f"<{start}>{inside}</{local}>" if inside else f"<{start}/>"


# --------------------------------------------------------------------------- JSON and CBOR
def for_json(value: Any) -> Any:
    """Plain values without what only XML needs: paths by module names, subtrees as objects.

    Raises:
        UsageError: a subtree filter that is no XML.
    """
    if isinstance(value, XPathText):
        return _json_path(value)
    if isinstance(value, SubtreeText):
        return _subtree_values(value)
    if isinstance(value, dict):
        return {name: for_json(member) for name, member in value.items()}
    return value


def _subtree_values(subtree: SubtreeText) -> dict[str, Any]:
    try:
        return from_xml(xml.parse(f"<_>{subtree}</_>".encode()), "")
    except WireError as error:
        raise UsageError(f"the subtree filter is no XML: {error}") from error


def _json_path(path: XPathText) -> str:
    """RFC 8641 §3.6 with RFC 7951 names: prefixes are module names outside XML."""
    return xml.replace_prefixes(
        path, {prefix: names.module_of(uri) for prefix, uri in path.namespaces.items()}
    )


def element_text(name: str, value: Mapping[str, Any]) -> str:
    """An element ``module:name`` with these members, as XML text that stands alone.

    Raises:
        UsageError: a value cannot be written as XML.
    """
    return etree.tostring(_root({name: value}, {}), encoding="unicode")


def message_to_xml(
    message: Mapping[str, Any], attributes: Mapping[str, str] | None = None
) -> bytes:
    """A plain message, one member, as an XML document in UTF-8; attributes, named as in
    ``xml.Element``, go to the root."""
    root = _root(message, attributes or {})
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _root(message: Mapping[str, Any], attributes: Mapping[str, str]) -> etree._Element:
    ((name, value),) = message.items()
    module, _, local = name.rpartition(":")
    namespace = names.namespace_of(module)
    tag = f"{{{namespace}}}{local}"
    scope: dict[Any, str] = {None: namespace}
    given = {_attribute_tag(name): text for name, text in attributes.items()}
    root: etree._Element = etree.Element(tag, given, nsmap=scope)
    for member, inner in value.items():
        add_xml(root, member, inner, module)
    return root


def _attribute_tag(name: str) -> str:
    namespace, _, local = name.rpartition(" ")
    return f"{{{namespace}}}{local}" if namespace else local
