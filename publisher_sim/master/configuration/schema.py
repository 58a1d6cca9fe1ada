"""Schema: the nodes that can be configured, as far as an edit has to know them.

Does: kinds, list keys, choices. Does not: know types (``checking`` reads the values). Rules: what
is not here is unknown to the device; the two spellings of receiver instances are two schemas.

Spec: RFC 8639 §4, RFC 8641 §5, ietf-subscribed-notif-receivers, udp-notif-26 §7, https-notif-16.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from collector.wire.values import names

Name = tuple[str, str]
"""(XML namespace, local name)."""
CONTAINER, LIST, LEAF, LEAF_LIST, ANYDATA = "container", "list", "leaf", "leaf-list", "anydata"

_SN, _YP = names.NAMESPACES[names.SN], names.NAMESPACES[names.YP]
_SNR, _YPR = names.NAMESPACES[names.RECEIVERS], names.NAMESPACES[names.REVISION]
_UDP, _UDP_OLD = names.NAMESPACES[names.UDP_TRANSPORT], names.NAMESPACES[names.UDP_OLD]
_HTTPS = names.NAMESPACES[names.HTTPS_TRANSPORT]


class Node(Struct, frozen=True):
    """One node of the schema."""

    kind: str = LEAF
    children: dict[Name, Node] = {}
    key: str = ""
    """Local name of the key leaf of a list."""
    cases: tuple[tuple[str, str], ...] = ()
    """(choice, case) of each choice that it is in: one case of a choice is there at a time."""

    def others(self, sibling: Node) -> bool:
        """Does a sibling go when this node comes (RFC 7950 §7.9)?"""
        own = dict(self.cases)
        return any(own.get(choice, case) != case for choice, case in sibling.cases)


_LEAF: Final = Node()
_NOTHING: Final[Mapping[Name, Node]] = MappingProxyType({})
_STREAM, _DATASTORE = ("target", "stream"), ("target", "datastore")


def _leaves(namespace: str, *known: str) -> dict[Name, Node]:
    return {(namespace, name): _LEAF for name in known}


def _filters() -> dict[Name, Node]:
    """Each filter is a case of its own, within its case of the target."""
    found: dict[Name, Node] = {}
    for namespace, name, target in (
        (_SN, "stream-filter-name", _STREAM),
        (_SN, "stream-subtree-filter", _STREAM),
        (_SN, "stream-xpath-filter", _STREAM),
        (_YP, "selection-filter-ref", _DATASTORE),
        (_YP, "datastore-subtree-filter", _DATASTORE),
        (_YP, "datastore-xpath-filter", _DATASTORE),
    ):
        kind = ANYDATA if name.endswith("subtree-filter") else LEAF
        found[namespace, name] = Node(kind, cases=(target, ("filter", name)))
    return found


_PERIODIC: Final = Node(
    CONTAINER, _leaves(_YP, "period", "anchor-time"), cases=(("trigger", "periodic"),)
)
_ON_CHANGE: Final = Node(
    CONTAINER,
    _leaves(_YP, "dampening-period", "sync-on-start") | {(_YP, "excluded-change"): Node(LEAF_LIST)},
    cases=(("trigger", "on-change"),),
)
_RECEIVER: Final = Node(
    LIST, _leaves(_SN, "name") | _leaves(_SNR, "receiver-instance-ref"), key="name"
)
_VERSION: Final = Node(LIST, _leaves(_YPR, "name", "revision", "version"), key="name")


def _subscription(purpose: bool) -> Node:
    leaves = (
        "id", "stop-time", "dscp", "weighting", "dependency", "transport", "encoding",
        "source-address",
    )  # fmt: skip
    return Node(
        LIST,
        _leaves(_SN, *leaves, *(("purpose",) if purpose else ()))
        | _filters()
        | {
            (_SN, "stream"): Node(cases=(_STREAM,)),
            (_SN, "configured-replay"): Node(cases=(_STREAM,)),
            (_YP, "datastore"): Node(cases=(_DATASTORE,)),
            (_YP, "periodic"): _PERIODIC,
            (_YP, "on-change"): _ON_CHANGE,
            (_YPR, "module-version-subs"): _VERSION,
            (_SN, "receivers"): Node(CONTAINER, {(_SN, "receiver"): _RECEIVER}),
        },
        key="id",
    )


def _udp(namespace: str, *address: str) -> Node:
    leaves = (*address, "enable-segmentation", "max-segment-size")  # no local-binding (RFC 9984)
    return Node(
        CONTAINER,
        _leaves(namespace, *leaves) | {(namespace, "dtls"): Node(ANYDATA)},
        cases=(("transport-type", "udp-notif"),),
    )


def _https(*below: str) -> Node:
    inside = {(_HTTPS, name): Node(ANYDATA) for name in below}
    return Node(CONTAINER, inside, cases=(("transport-type", "https"),))


def schema(
    *, spelling: str = "new", purpose: bool = True, more: Mapping[Name, Node] = _NOTHING
) -> Node:
    """The root of all that a device lets others configure.

    Args:
        spelling: ``new`` or ``old``, as in the scenario.
        purpose: whether it knows that leaf.
        more: other top-level nodes.
    """
    if spelling == "new":
        udp = {(_UDP, "udp-notif-receiver"): _udp(_UDP, "remote-address", "remote-port")}
        https = _https("capabilities-endpoint", "relay-notification-endpoint")
    else:
        udp = {(_UDP_OLD, "udp-notif-receiver"): _udp(_UDP_OLD, "address", "port")}
        https = _https("tls", "tcp")
    instance = Node(
        LIST, _leaves(_SNR, "name") | udp | {(_HTTPS, "https-receiver"): https}, key="name"
    )
    instances = Node(CONTAINER, {(_SNR, "receiver-instance"): instance})
    subscriptions = Node(
        CONTAINER,
        {
            (_SN, "subscription"): _subscription(purpose),
            (_SNR, "receiver-instances"): instances,
        },
    )
    return Node(CONTAINER, {(_SN, "subscriptions"): subscriptions, **more})
