"""XML octets -> a light tree, refused early when hostile; and text of the tree again.

Does: well-formed XML 1.0 with namespaces into ``Element`` values, in time and memory linear in the
octets, with an explicit depth limit. Does not: validate, fetch anything, keep comments or
processing instructions.

Rules: UTF-8 only (RFC 6241 §3); a document type declaration is refused where it begins, so there
are no entities to expand and nothing external to load (RFC 6241 §3 forbids it anyway). Expat with
one parser a message: the pooled names of a longer-lived XML library would grow with every name that
a peer invents. Element content and text around child elements do not mix in YANG, so text beside
children is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from collector.errors import WireError

MAX_DEPTH: Final = 128
"""Levels of elements that are taken; ours. Deep real data has about 20."""
MAX_ELEMENTS: Final = 200_000
"""Elements of one document; ours. A library of 1,500 modules has 20,000, and each takes 350 octets
and some microseconds."""
_NO_NAMESPACES: Final[dict[str, str]] = {}
_NOTHING: Final[frozenset[str]] = frozenset()
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_PREFIXED: Final = re.compile(
    r"(?<![\w.-])((?:(?![A-Za-z_])[\w.-])*)([A-Za-z_][\w.-]*):(?![:/])"
)  # fmt: skip
"""What cannot begin a name, and a prefix. It is looked for where a run of such characters begins:
from every character of it on, a run of a megabyte would take an hour."""


class Element:
    """One element: ``namespace``, ``name``, ``text``, ``children``, ``attributes``, ``nsmap``."""

    __slots__ = ("attributes", "children", "name", "namespace", "nsmap", "text")

    def __init__(
        self, namespace: str, name: str, attributes: dict[str, str], nsmap: dict[str, str]
    ) -> None:
        self.namespace = namespace
        """Empty when it is in none."""
        self.name = name
        """Local name."""
        self.text = ""
        """Character data, white space at both ends stripped."""
        self.children: list[Element] = []
        self.attributes = attributes
        """Local name, or ``namespace name`` with a blank, -> value."""
        self.nsmap = nsmap
        """prefix -> namespace in scope, the default one under an empty prefix; shared."""

    def __eq__(self, other: object) -> bool:
        """The same content; prefixes in its text are compared as they stand."""
        if not isinstance(other, Element):
            return NotImplemented
        return (self.namespace, self.name, self.text, self.attributes, self.children) == (
            other.namespace, other.name, other.text, other.attributes, other.children
        )  # fmt: skip

    __hash__ = None  # type: ignore[assignment]  # they are compared, never looked up

    def find(self, name: str) -> Element | None:
        """First child with that local name, in any namespace."""
        return next(self.find_all(name), None)

    def find_all(self, name: str) -> Iterator[Element]:
        """Children with that local name, in any namespace."""
        return (child for child in self.children if child.name == name)

    def text_of(self, name: str, default: str = "") -> str:
        """Text of the first child with that local name."""
        child = self.find(name)
        return default if child is None else child.text


class _Builder:
    """What expat calls; one of it for each message."""

    def __init__(self, skip: frozenset[str], most: int) -> None:
        self.parser = expat.ParserCreate("UTF-8", " ")
        self.root: Element | None = None
        self._skip = skip
        self._stack: list[Element] = []
        self._chunks: list[str] = []
        self._depth = 0
        self._most = self._left = most
        self._skip_depth = 0
        """Depth of the element whose inside is left out."""
        self._declared: dict[str, str] | None = None
        parser = self.parser
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._listen()

    def _listen(self) -> None:
        parser = self.parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._chunks.append
        parser.StartNamespaceDeclHandler = self._declare

    def _refuse_doctype(self, *_: object) -> None:
        raise self._bad("a document type declaration is not allowed", clause="RFC 6241 §3")

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        if self._declared is None:
            self._declared = {}
        self._declared[prefix or ""] = uri or ""

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._too_deep()
        self._left -= 1
        if self._left < 0:
            raise self._bad(f"more than {self._most} elements", reason="too-many-elements")
        above = self._stack[-1] if self._stack else None
        nsmap = _NO_NAMESPACES if above is None else above.nsmap
        if self._declared is not None:
            nsmap = nsmap | self._declared
            self._declared = None
        namespace, _, name = tag.rpartition(" ")
        element = Element(namespace, name, attributes, nsmap)
        if above is None:
            self.root = element
        else:
            above.children.append(element)
        self._stack.append(element)
        self._chunks.clear()
        if name in self._skip:
            self._skip_inside()

    def _end(self, _tag: str) -> None:
        self._depth -= 1
        element = self._stack.pop()
        if not element.children:
            element.text = "".join(self._chunks).strip()
        self._chunks.clear()

    def _skip_inside(self) -> None:
        """Only count levels until the present element ends; half the work is in the calls."""
        self._skip_depth = self._depth
        parser = self.parser
        parser.StartElementHandler = self._skipped_start
        parser.EndElementHandler = self._skipped_end
        parser.CharacterDataHandler = parser.StartNamespaceDeclHandler = None

    def _skipped_start(self, _tag: str, _attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._too_deep()

    def _skipped_end(self, tag: str) -> None:
        if self._depth == self._skip_depth:
            self._listen()
            self._end(tag)
        else:
            self._depth -= 1

    def _too_deep(self) -> WireError:
        return self._bad(f"elements nest deeper than {MAX_DEPTH}", reason="too-deep")

    def _bad(self, message: str, *, reason: str = "bad-xml", clause: str = "") -> WireError:
        return WireError(reason, message, offset=self.parser.CurrentByteIndex, clause=clause)


def parse(document: bytes, skip: frozenset[str] = _NOTHING, *, most: int = MAX_ELEMENTS) -> Element:
    """The root element; elements whose local name is in ``skip`` come without their inside.

    Raises:
        WireError: ``bad-xml``: not well-formed, not UTF-8, or with a document type declaration;
            ``too-deep``: more than ``MAX_DEPTH`` levels; ``too-many-elements``: more than
            ``most``, the inside of what is skipped not counted.
    """
    if document[:2] in _UTF_16:  # expat believes the mark more than it believes us
        raise WireError("bad-xml", "the document is not UTF-8", clause="RFC 6241 §3")
    builder = _Builder(skip, most)
    try:
        builder.parser.Parse(document, True)
    except expat.ExpatError as error:
        message = f"no well-formed XML: {expat.ErrorString(error.code)}"
        offset = max(builder.parser.ErrorByteIndex, 0)
        raise WireError("bad-xml", message, offset=offset, clause="XML 1.0") from None
    finally:
        _release(builder)
    root = builder.root
    assert root is not None  # expat reports a document without element as an error
    return root


def _release(builder: _Builder) -> None:
    """Cut the ring parser -> bound methods -> builder -> parser, so that nothing waits for gc."""
    parser = builder.parser
    parser.StartElementHandler = parser.EndElementHandler = None
    parser.CharacterDataHandler = parser.StartNamespaceDeclHandler = None
    parser.StartDoctypeDeclHandler = None


def fragment(text: str) -> tuple[Element, ...]:
    """Elements that stand side by side, as ``inner_text`` writes them. Raises WireError."""
    return tuple(parse(f"<_>{text}</_>".encode()).children)


# --------------------------------------------------------------------------- text of the tree
def used_prefixes(text: str) -> set[str]:
    """Prefixes in an XPath or an identity, as in ``/if:interfaces``; ``axis::`` is none."""
    return {prefix for _, prefix in _PREFIXED.findall(text)}


def replace_prefixes(text: str, to: Mapping[str, str]) -> str:
    """The XPath with other prefixes; those that are not named stay."""
    return _PREFIXED.sub(lambda match: match[1] + to.get(match[2], match[2]) + ":", text)


def inner_text(element: Element) -> str:
    """The children as XML text that stands alone: namespaces are declared where they change."""
    return "".join(map(outer_text, element.children))


def outer_text(element: Element) -> str:
    """The element as XML text that stands alone."""
    return _to_text(element, "")


def _to_text(element: Element, default: str) -> str:
    parts = [f"<{element.name}"]
    if element.namespace != default:
        parts.append(f" xmlns={quoteattr(element.namespace)}")
    values = " ".join((element.text, *element.attributes.values()))
    used = sorted(used_prefixes(values) & element.nsmap.keys())
    parts.extend(f" xmlns:{prefix}={quoteattr(element.nsmap[prefix])}" for prefix in used)
    parts.append(attributes_text(element.attributes))
    inside = escape(element.text) + "".join(
        _to_text(child, element.namespace) for child in element.children
    )
    parts.append(f">{inside}</{element.name}>" if inside else "/>")
    return "".join(parts)


def attributes_text(attributes: Mapping[str, str]) -> str:
    """Attributes as in ``Element``, behind the name of a start tag, each with a blank before it."""
    parts: list[str] = []
    for count, (name, value) in enumerate(attributes.items()):
        namespace, _, local = name.rpartition(" ")
        if namespace:
            prefix = f"attribute{count}"
            parts.append(f" xmlns:{prefix}={quoteattr(namespace)}")
            local = f"{prefix}:{local}"
        parts.append(f" {local}={quoteattr(value)}")
    return "".join(parts)
