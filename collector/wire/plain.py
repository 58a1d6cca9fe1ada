"""Plain values: one shape for JSON, CBOR and XML, so that each name is interpreted in one place.

Does: an XML tree into plain values and back, and the checked reading of single leaves. Plain values
are dict, list, str, int, bool, None with the names of RFC 7951 §4: ``module:name`` where the module
differs from the parent's, else ``name``. Does not: know a schema. So from XML every leaf is text, a
list with one entry is that entry, and an empty element is an empty text.

Rules: leaves are stripped (the figures of RFC 8640 print white space inside), numbers are taken as
number or text, lists of one entry with or without the list. What has no such reading is a
``WireError`` with the reason ``bad-value``; an object that names a member twice is
``duplicate-member``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from collector.errors import UsageError, WireError
from collector.model import DeviceTime
from collector.wire import names, timestamps, xml

INT64_MIN: Final = -(1 << 63)
INT64_MAX: Final = (1 << 63) - 1
UINT32_MAX: Final = 0xFFFF_FFFF
_LONGEST_NUMBER: Final = 20
"""Digits of a number given as text; a uint64 has at most 20."""
_NODE_NAME: Final = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_IDENTITY: Final = re.compile(r"([A-Za-z_][\w.-]*):([A-Za-z_][\w.-]*)", re.ASCII)
"""``module:identity``: without a schema, what looks like one and names a known module is one."""


class DuplicatedMembers(dict[str, Any]):
    """A JSON object or CBOR map in which a name came twice; refused when it is looked into."""


class XPathText(str):
    """An XPath with the namespaces that its prefixes stand for."""

    namespaces: dict[str, str]

    def __new__(cls, text: str, namespaces: Mapping[str, str]) -> XPathText:
        self = super().__new__(cls, text)
        self.namespaces = dict(namespaces)
        return self


class VerbatimText(str):
    """Text that looks like an identity but is a string, so XML gets it as it stands."""

    __slots__ = ()


class SubtreeText(str):
    """A subtree filter as XML text (RFC 6241 §6)."""

    __slots__ = ()


# --------------------------------------------------------------------------- leaves
def bad_value(field: str, value: object) -> WireError:
    """The error for a leaf that cannot be read."""
    shown = repr(value)
    return WireError(
        "bad-value", f"{shown[:80]} is no value of {field}", field=field, clause="RFC 7951 §6"
    )


def members(value: object, field: str) -> dict[str, Any]:
    """The members of an object; an empty XML element and ``null`` have none.

    Raises:
        WireError: ``bad-value`` when it is no object, ``duplicate-member``.
    """
    if isinstance(value, DuplicatedMembers):
        raise WireError(
            "duplicate-member", f"{field} names a member twice", field=field, clause="RFC 7951 §4"
        )
    if isinstance(value, dict):
        return value
    if value is None or value == "" or value == [None]:
        return {}
    raise bad_value(field, value)


def known_members(value: object, field: str) -> dict[str, Any]:
    """Members by local name, those of modules unknown to us left out.

    Raises:
        WireError: as ``members``; ``duplicate-member`` also for two spellings of one name.
    """
    found: dict[str, Any] = {}
    for name, member in members(value, field).items():
        module, _, local = name.rpartition(":")
        if module and module not in names.NAMESPACES:
            continue
        if local in found:
            raise WireError(
                "duplicate-member",
                f"{field} names {local} twice",
                field=local,
                clause="RFC 7951 §4",
            )
        found[local] = member
    return found


def read_text(value: object, field: str) -> str:
    """A leaf as stripped text that every store can take."""
    if isinstance(value, str):
        text = value.strip()
        if text.isascii():
            return text
        try:
            text.encode()
        except UnicodeEncodeError:  # half of a surrogate pair, legal in a JSON escape only
            raise bad_value(field, value) from None
        return text
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise bad_value(field, value)


def read_uint(value: object, field: str, maximum: int = UINT32_MAX) -> int:
    """A number 0..maximum, given as number or as decimal text."""
    if isinstance(value, str):
        text = value.strip()
        if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER):
            raise bad_value(field, value)
        value = int(text)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= maximum:
        raise bad_value(field, value)
    return value


def read_boolean(value: object, field: str) -> bool:
    """``true`` or ``false``, as value or as text."""
    if isinstance(value, bool):
        return value
    text = value.strip() if isinstance(value, str) else None
    if text not in ("true", "false"):
        raise bad_value(field, value)
    return text == "true"


def read_identity(value: object, field: str) -> str:
    """An identityref without its module or prefix."""
    return names.local_name(read_text(value, field))


def read_time(value: object, field: str) -> DeviceTime:
    """A date-and-time that fits the 64-bit nanoseconds of the stores: years 1678 to 2261."""
    time = timestamps.parse_date_and_time(read_text(value, field))
    if not INT64_MIN <= time <= INT64_MAX:
        raise WireError(
            "bad-timestamp",
            f"{value!r} is too far from now to be kept in nanoseconds",
            field=field,
            clause="RFC 3339 §5.6",
        )
    return DeviceTime(time)


def as_list(value: object) -> list[Any]:
    """Entries of a list or leaf-list; a single entry stands for a list of one."""
    return value if isinstance(value, list) else [value]


# --------------------------------------------------------------------------- XML
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
    if element.name.endswith("-xpath-filter"):
        used = xml.used_prefixes(element.text)
        scope = element.nsmap
        return XPathText(element.text, {p: scope[p] for p in sorted(used) if p in scope})
    return element.text


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
    """Namespaces of the prefixes; one that nobody declared is taken for a module name."""
    return {
        prefix: names.namespace_of(path.namespaces.get(prefix, prefix))
        for prefix in sorted(xml.used_prefixes(path) | path.namespaces.keys())
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


def message_to_xml(
    message: Mapping[str, Any], attributes: Mapping[str, str] | None = None
) -> bytes:
    """A plain message, one member, as an XML document in UTF-8; attributes go to the root."""
    ((name, value),) = message.items()
    module, _, local = name.rpartition(":")
    namespace = names.namespace_of(module)
    tag = f"{{{namespace}}}{local}"
    scope: dict[Any, str] = {None: namespace}
    root: etree._Element = etree.Element(tag, dict(attributes or {}), nsmap=scope)
    for member, inner in value.items():
        add_xml(root, member, inner, module)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)
