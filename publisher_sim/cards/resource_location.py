"""Resource-Location Table: which publisher serves which node; decomposition follows from it.

Does not: know sessions or data. Rules (draft-zhou-netconf-multi-stream-originators-10 §5):
component subscriptions of one global subscription MUST NOT overlap, and together MUST cover the
same nodes as the global one; a publisher without external connectivity MUST NOT get one, so its
nodes stay with the master. A node has one owner at a time, so there is no overlap by
construction; ``decompose`` walks every node that the filter selects, so there is no hole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from publisher_sim.data.entries import Node
from publisher_sim.data.selection import Selection


class ResourceLocationTable:
    """node -> the publisher that owns it; a node without owner is not in the datastore."""

    def __init__(self, owners: Mapping[Node, str]) -> None:
        self._home = dict(owners)
        self._owners = dict(owners)

    @property
    def owners(self) -> dict[Node, str]:
        """A copy: node -> owner."""
        return dict(self._owners)

    def owned_by(self, publisher: str) -> list[Node]:
        """Its nodes, in the order of the scenario."""
        return [node for node, owner in self._owners.items() if owner == publisher]

    def move(self, nodes: Iterable[Node], to: str) -> None:
        """Give nodes another owner; what is not in the datastore stays out of it."""
        for node in nodes:
            if node in self._owners:
                self._owners[node] = to

    def leave(self, publisher: str, moves_to: str = "") -> None:
        """A publisher is gone: its nodes move, or leave the datastore."""
        for node in self.owned_by(publisher):
            if moves_to:
                self._owners[node] = moves_to
            else:
                del self._owners[node]

    def come_back(self, publisher: str) -> None:
        """A publisher is there again: what the scenario gave it is its own once more."""
        for node, owner in self._home.items():
            if owner == publisher:
                self._owners[node] = publisher
        self._owners = {node: self._owners[node] for node in self._home if node in self._owners}


def decompose(
    owners: Mapping[Node, str],
    selection: Selection,
    publishers: Collection[str],
    master: str,
) -> dict[str, tuple[Node, ...]]:
    """Cut what a filter selects into the shares of the publishers, in the order given.

    Args:
        owners: node -> owner, the Resource-Location Table as it stands.
        selection: what the global subscription asks for.
        publishers: those that are there and can reach a receiver, the master among them.
        master: serves every selected node whose owner is not among ``publishers``.

    A publisher with an empty share gets no component subscription. Where nothing at all is
    selected the master keeps the whole subscription: it sends the empty updates that RFC 8641
    §3.7 asks for.
    """
    shares: dict[str, list[Node]] = {publisher: [] for publisher in publishers}
    for node, owner in owners.items():
        if selection.selects(node.module, node.key):
            shares[owner if owner in shares else master].append(node)
    parts = {publisher: tuple(share) for publisher, share in shares.items() if share}
    return parts or {master: ()}
