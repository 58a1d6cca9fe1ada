"""What a publisher says of itself in ``/system-capabilities``, as values.

Does: the request for the tree, the tree out of a reply: limits and support for the system and for
single nodes, transports with their encodings, extensions; and the value that counts for a node.
Does not: write the tree, decide what follows from it (``subscriber.abilities.checks``).

Rules: the nodes are known by their local names, since drafts moved some between modules; a value
that is none is left out and counted, so that one bad leaf does not cost all others; entries keep
their order, for the first one that fits counts.

Spec: RFC 9196 §4, §5; draft-ietf-netconf-yp-transport-capabilities, -notif-envelope and
-yang-notifications-versioning for the extensions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar
from xml.sax.saxutils import quoteattr

from msgspec import Struct

from collector.errors import WireError
from collector.model import CENTISECOND
from collector.wire.netconf.node_paths import NodePath, read_paths
from collector.wire.values import xml
from collector.wire.values.names import local_name

SYSTEM: Final = "urn:ietf:params:xml:ns:yang:ietf-system-capabilities"
"""RFC 9196 §4.2."""
SYSTEM_FILTER: Final = f"<system-capabilities xmlns={quoteattr(SYSTEM)}/>"
"""Subtree filter that asks for the tree."""
MAX_ENTRIES: Final = 4096
"""Entries of ``per-node-capabilities`` that are kept in all; ours."""

CONFIG_CHANGES: Final = "config-changes"
STATE_CHANGES: Final = "state-changes"

T = TypeVar("T")


class PushCapabilities(Struct, frozen=True, omit_defaults=True):
    """One ``subscription-capabilities``: of a system, a datastore or some nodes (RFC 9196 §5).

    None everywhere: it is not said here. Periods are ns.
    """

    max_nodes_per_update: int | None = None
    """At least so many data nodes fit into an update."""
    periodic: tuple[str, ...] | None = None
    """``periodic-notifications-supported``: none, one or both of ``config-changes`` (nodes of the
    configuration) and ``state-changes`` (all other nodes)."""
    minimum_update_period: int | None = None
    supported_update_periods: tuple[int, ...] | None = None
    """These and no others."""
    on_change: tuple[str, ...] | None = None
    """``on-change-supported``, as ``periodic``."""
    minimum_dampening_period: int | None = None
    """Above 0: dampening is mandatory."""
    excluded_changes: tuple[str, ...] | None = None
    """``supported-excluded-change-type``: ``none``, ``all``, or kinds of change."""


class NodeCapabilities(Struct, frozen=True):
    """One entry of ``per-node-capabilities``."""

    datastore: str
    """Identity without its module."""
    selector: str
    """``node-selector`` as it was written; ``/`` and an empty one are every node."""
    paths: tuple[NodePath, ...] | None
    """What it selects; None where that cannot be told."""
    capabilities: PushCapabilities


class TransportCapability(Struct, frozen=True):
    """One ``transport-capability``; identities without their modules."""

    transport: str
    security: tuple[str, ...] = ()
    encodings: tuple[str, ...] = ()


class SystemCapabilities(Struct, frozen=True):
    """The whole tree."""

    system: PushCapabilities = PushCapabilities()
    nodes: tuple[NodeCapabilities, ...] = ()
    """In the order of the tree, datastore by datastore."""
    transports: tuple[TransportCapability, ...] = ()
    envelope: bool | None = None
    """``notification-metadata/envelope``: the publisher can write the envelope."""
    sequence_number: bool | None = None
    """``hostname-sequence-number``: the envelope counts its messages."""
    observation_time: bool | None = None
    """``yang-push-observation-time-supported``."""
    module_revision: bool | None = None
    """``yang-push-module-revision-supported``."""
    unusable: int = 0
    """Leaves whose value is none."""


class Stated(Struct, frozen=True):
    """The value of one capability for some nodes."""

    value: Any
    where: str
    """The path of the nodes, empty: it is that of the system."""


# --------------------------------------------------------------------------- look-up
def stated(
    tree: SystemCapabilities, name: str, datastore: str | None, wanted: NodePath
) -> Iterator[Stated]:
    """What counts for the nodes of ``wanted``: RFC 9196 §4.2, steps 1 to 4.

    More than one answer where the tree says different things of parts of ``wanted``; none where it
    says nothing.

    Args:
        tree: what the publisher says.
        name: a field of ``PushCapabilities``.
        datastore: identity without its module; None: of the system only.
        wanted: a path; entries about nodes below it are parts of it.
    """
    for entry in tree.nodes:
        value = getattr(entry.capabilities, name)
        if value is None or entry.datastore != datastore:
            continue
        paths = (NodePath(),) if not entry.selector else entry.paths or ()
        if any(path.above(wanted) or wanted.above(path) for path in paths):
            yield Stated(value, entry.selector or "/")
        if any(path.covers(wanted) for path in paths):
            return
    value = getattr(tree.system, name)
    if value is not None:
        yield Stated(value, "")


# --------------------------------------------------------------------------- decode
def read_capabilities(tree: xml.Element) -> SystemCapabilities:
    """The element ``<system-capabilities>``.

    Raises:
        WireError: ``too-many-capabilities``: more than ``MAX_ENTRIES`` entries.
    """
    return _Reader().read(tree)


class _Reader:
    """One pass over a tree; counts what it cannot use."""

    def __init__(self) -> None:
        self._unusable = 0

    def read(self, tree: xml.Element) -> SystemCapabilities:
        said = tree.find("subscription-capabilities")
        nodes = tuple(self._nodes(tree))
        if said is None:
            return SystemCapabilities(nodes=nodes, unusable=self._unusable)
        metadata = said.find("notification-metadata") or said
        optional = metadata.find("metadata") or metadata
        return SystemCapabilities(
            system=self._push(said),
            nodes=nodes,
            transports=_transports(said),
            envelope=self._one(metadata, "envelope", _boolean),
            sequence_number=self._one(optional, "hostname-sequence-number", _boolean),
            observation_time=self._one(said, "yang-push-observation-time-supported", _boolean),
            module_revision=self._one(said, "yang-push-module-revision-supported", _boolean),
            unusable=self._unusable,
        )

    def _nodes(self, tree: xml.Element) -> Iterator[NodeCapabilities]:
        count = 0
        for datastore in tree.find_all("datastore-capabilities"):
            name = local_name(datastore.text_of("datastore"))
            for entry in datastore.find_all("per-node-capabilities"):
                count += 1
                if count > MAX_ENTRIES:
                    message = f"there are more than {MAX_ENTRIES:,} per-node-capabilities"
                    raise WireError("too-many-capabilities", message, clause="RFC 9196 §4.2")
                yield self._entry(name, entry)

    def _entry(self, datastore: str, entry: xml.Element) -> NodeCapabilities:
        selector = entry.find("node-selector")
        said = entry.find("subscription-capabilities")
        return NodeCapabilities(
            datastore,
            "" if selector is None else selector.text,
            None if selector is None else read_paths(selector.text, selector.nsmap),
            PushCapabilities() if said is None else self._push(said),
        )

    def _push(self, said: xml.Element) -> PushCapabilities:
        return PushCapabilities(
            max_nodes_per_update=self._one(said, "max-nodes-per-update", _number),
            periodic=self._one(said, "periodic-notifications-supported", _bits),
            minimum_update_period=self._one(said, "minimum-update-period", _period),
            supported_update_periods=self._all(said, "supported-update-period", _period),
            on_change=self._one(said, "on-change-supported", _bits),
            minimum_dampening_period=self._one(said, "minimum-dampening-period", _period),
            excluded_changes=self._all(said, "supported-excluded-change-type", str),
        )

    def _one(self, said: xml.Element, name: str, read: Callable[[str], T]) -> T | None:
        found = self._all(said, name, read)
        return found[0] if found else None

    def _all(self, said: xml.Element, name: str, read: Callable[[str], T]) -> tuple[T, ...] | None:
        found = []
        for leaf in said.find_all(name):
            try:
                found.append(read(leaf.text))
            except ValueError:
                self._unusable += 1
        return tuple(found) or None


def _transports(said: xml.Element) -> tuple[TransportCapability, ...]:
    listed = said.find("transport-capabilities")
    entries = [] if listed is None else listed.find_all("transport-capability")
    return tuple(
        TransportCapability(
            local_name(entry.text_of("transport-protocol")),
            tuple(local_name(one.text) for one in entry.find_all("security-protocol")),
            tuple(local_name(one.text) for one in entry.find_all("encoding-format")),
        )
        for entry in entries
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 1 << 32):
        raise ValueError(text)
    return int(text)


def _period(text: str) -> int:
    return _number(text) * CENTISECOND


def _bits(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"
