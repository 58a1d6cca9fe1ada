"""ConfiguredFilters: ``/filters`` as it is edited, and those who refer to what changes there.

Does: the schema of both lists, their contents as filters, additions before and removals after the
subscriptions that they are about. Does not: evaluate filters, or tell subscribers (``references``
does). Rule: what is configured stands before a filter that the device has by itself under that
name, which is back once the configured one is gone.

Spec: RFC 8639 §2.7.2, §3.2; RFC 8641 §4.
"""

from __future__ import annotations

from collections.abc import Iterator

from collector.errors import ProtocolError, WireError
from collector.model import SelectionFilter
from collector.wire.subscriptions.terms import read_terms
from collector.wire.values import names, plain, plain_xml, xml
from publisher_sim.data.filters import FilterUnsupportedError, compile_filter
from publisher_sim.master.configuration.schema import (
    ANYDATA,
    CONTAINER,
    LEAF,
    LIST,
    Name,
    Node,
)
from publisher_sim.master.ports import Action
from publisher_sim.master.references import References
from publisher_sim.subscriptions.named_filters import DATASTORE, STREAM, NamedFilters

_SN, _YP = names.NAMESPACES[names.SN], names.NAMESPACES[names.YP]
_LISTS = {
    "stream-filter": (STREAM, _SN, "name"),
    "selection-filter": (DATASTORE, _YP, "filter-id"),
}
"""List -> what its filters are for, its namespace, its key."""
MOST = 64
"""Filters; ours."""
Key = tuple[str, str]
"""(what it is for, its name)."""


def filters_schema() -> dict[Name, Node]:
    """``/filters``."""
    lists: dict[Name, Node] = {}
    for name, (of, namespace, key) in _LISTS.items():
        leaves: dict[Name, Node] = {(namespace, key): Node()}
        for kind, how in (("xpath", LEAF), ("subtree", ANYDATA)):
            leaf = f"{of}-{kind}-filter"
            leaves[namespace, leaf] = Node(how, cases=(("filter", leaf),))
        lists[namespace, name] = Node(LIST, leaves, key=key)
    return {(_SN, "filters"): Node(CONTAINER, lists)}


def read_filters(tree: xml.Element) -> dict[Key, SelectionFilter]:
    """The filters of a configuration. Raises ProtocolError: there are too many, or one of them
    cannot be evaluated here."""
    found: dict[Key, SelectionFilter] = {}
    for key, entry in _entries(tree):
        try:
            members = plain.known_members(plain_xml.from_xml(entry, names.SN), entry.name)
            contents = read_terms(members).selection_filter
            if contents is None:
                continue  # it may be empty, and is then as if it was not there
            compile_filter(contents, boolean=key[0] == STREAM)
        except (WireError, FilterUnsupportedError) as error:
            message = f"{entry.name} {key[1]}: {error}"
            raise ProtocolError(message, tag="invalid-value", path="/filters") from error
        found[key] = contents
    if len(found) > MOST:
        raise ProtocolError(f"no more than {MOST} filters", tag="resource-denied")
    return found


def _entries(tree: xml.Element) -> Iterator[tuple[Key, xml.Element]]:
    for holder in tree.find_all("filters"):
        for entry in holder.children:
            of, _, key = _LISTS[entry.name]
            yield (of, entry.text_of(key)), entry


class ConfiguredFilters:
    """What running says of filters."""

    def __init__(self, filters: NamedFilters, references: References) -> None:
        self._filters = filters
        self._references = references
        self._own: dict[Key, SelectionFilter] = {}
        """Those that the device has by itself, where configured ones stand before them."""
        self._configured: dict[Key, SelectionFilter] = {}

    def come(self, wanted: dict[Key, SelectionFilter], now: int) -> tuple[set[str], list[Action]]:
        """Running has these now: add and change them.

        Returns:
            The names of those that are new or other than before, and what follows.
        """
        actions: list[Action] = []
        changed = set()
        for key, contents in wanted.items():
            if self._configured.get(key) == contents:
                continue
            changed.add(key[1])
            own = self._filters.get(*key)
            if key not in self._configured and own is not None:
                self._own[key] = own
            actions.extend(self._references.put(*key, contents, now))
        return changed, actions

    def go(self, wanted: dict[Key, SelectionFilter], now: int) -> list[Action]:
        """Likewise: those that it no longer has are gone."""
        actions: list[Action] = []
        for key in [key for key in self._configured if key not in wanted]:
            own = self._own.pop(key, None)
            if own is None:
                actions.extend(self._references.remove(*key, now))
            else:
                actions.extend(self._references.put(*key, own, now))
        self._configured = dict(wanted)
        return actions
