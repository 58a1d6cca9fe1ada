"""What a selection filter selects: an honest, small part of XPath and of subtree filters.

Does not: evaluate XPath. Understood: ``/module:container``, ``/module:container/list``, the list
with one ``[name='..']`` predicate, below it the path to one child (``/statistics``), several of
them joined with ``|``; prefixes by the filter's namespace table or as module names. As subtree:
the same nodes as elements, with ``<name>`` as content match (RFC 6241 §6.2.5). Anything else is
refused with a hint, so that a filter never selects something else than it says (RFC 8641 §3.6:
filter-unsupported).
"""

from __future__ import annotations

import re

from msgspec import Struct

from collector.errors import WireError
from collector.model import SelectionFilter
from collector.wire import xml

TREES = {
    "ietf-interfaces": ("interfaces", "interface", "urn:ietf:params:xml:ns:yang:ietf-interfaces"),
    "ietf-hardware": ("hardware", "component", "urn:ietf:params:xml:ns:yang:ietf-hardware"),
}
"""module -> (top container, its list, namespace)."""
_MODULE_OF = {namespace: module for module, (_, _, namespace) in TREES.items()}
LIMIT = 4096
"""Characters of a filter that are looked at."""

_STEP = re.compile(r"(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)((?:\[[^\[\]]*\])?)")
_PREDICATE = re.compile(r"\[\s*(?:[\w.-]+:)?name\s*=\s*(?:'([^']*)'|\"([^\"]*)\")\s*\]")


class FilterUnsupportedError(Exception):
    """The filter is outside what this device evaluates; the text is the hint for the subscriber."""


class Branch(Struct, frozen=True):
    """One path of a filter."""

    module: str
    name: str | None = None
    """Value of the list key, None for every entry."""
    child: str | None = None
    """Child of the list entry, None for the whole entry."""


class Selection(Struct, frozen=True):
    """The union of its branches; no branch at all selects everything."""

    branches: tuple[Branch, ...] = ()

    def selects(self, module: str, key: str) -> bool:
        """Is anything of this list entry selected?"""
        return not self.branches or bool(self._of(module, key))

    def children(self, module: str, key: str) -> tuple[str, ...] | None:
        """Which children of the entry are selected; None for all of them."""
        branches = self._of(module, key)
        if not branches or any(branch.child is None for branch in branches):
            return None
        return tuple(branch.child for branch in branches if branch.child is not None)

    def _of(self, module: str, key: str) -> list[Branch]:
        return [
            branch
            for branch in self.branches
            if branch.module == module and branch.name in (None, key)
        ]


def select(wanted: SelectionFilter | None) -> Selection:
    """What a filter selects. Raises FilterUnsupportedError."""
    if wanted is None:
        return Selection()
    if len(wanted.text) > LIMIT:
        raise FilterUnsupportedError(f"a filter of more than {LIMIT} characters")
    if wanted.kind == "xpath":
        paths = wanted.text.split("|")
        return Selection(tuple(_branch(path.strip(), wanted.namespaces) for path in paths))
    if wanted.kind == "subtree":
        return _subtree(wanted.text)
    raise FilterUnsupportedError("a filter by reference: there are no named filters here")


def _branch(path: str, namespaces: dict[str, str]) -> Branch:
    if not path.startswith("/") or path.startswith("//"):
        raise FilterUnsupportedError(f"{path!r}: only absolute paths")
    steps = path[1:].split("/")
    matches = [_STEP.fullmatch(step.strip()) for step in steps]
    if any(match is None for match in matches) or not 1 <= len(steps) <= 3:
        raise FilterUnsupportedError(f"{path!r}: only /container/list[name='..']/child")
    parts = [match.groups() for match in matches if match is not None]
    module = _module(parts[0][0] or "", namespaces, path)
    container, entry, _ = TREES[module]
    names = [name for _, name, _ in parts]
    if names[0] != container or (len(names) > 1 and names[1] != entry):
        raise FilterUnsupportedError(f"{path!r}: not in the tree of {module}")
    name = None
    for position, (_, _, predicate) in enumerate(parts):
        if predicate:
            found = _PREDICATE.fullmatch(predicate)
            if found is None or position != 1:
                raise FilterUnsupportedError(f"{path!r}: only [name='..'] on the list")
            name = found.group(1) if found.group(1) is not None else found.group(2)
    return Branch(module, name, names[2] if len(names) > 2 else None)


def _module(prefix: str, namespaces: dict[str, str], path: str) -> str:
    meant = namespaces.get(prefix, prefix)
    module = _MODULE_OF.get(meant, meant)
    if module not in TREES:
        raise FilterUnsupportedError(f"{path!r}: no module {meant!r} here")
    return module


def _subtree(text: str) -> Selection:
    """The branches of a subtree filter (RFC 6241 §6)."""
    try:
        root = xml.parse(b"<filter>" + text.encode() + b"</filter>")
    except WireError as error:
        raise FilterUnsupportedError(f"a subtree that is no XML: {error}") from error
    branches = [branch for top in root.children for branch in _container(top)]
    if not branches:
        raise FilterUnsupportedError("an empty subtree, which selects nothing (RFC 6241 §6.4.2)")
    return Selection(tuple(branches))


def _container(top: xml.Element) -> list[Branch]:
    module = _MODULE_OF.get(top.namespace, "")
    if module not in TREES or top.name != TREES[module][0]:
        raise FilterUnsupportedError(f"no {top.name!r} of {top.namespace!r} here")
    if not top.children:
        return [Branch(module)]
    return [branch for entry in top.children for branch in _entry(module, entry)]


def _entry(module: str, entry: xml.Element) -> list[Branch]:
    if entry.name != TREES[module][1]:
        raise FilterUnsupportedError(f"no list {entry.name!r} in {module}")
    name = entry.text_of("name") or None
    below = [child for child in entry.children if child.name != "name"]
    if any(child.text or child.children for child in below):
        raise FilterUnsupportedError(f"content matches other than <name> in {module}")
    if not below:
        return [Branch(module, name)]
    return [Branch(module, name, child.name) for child in below]
