"""get, get-config and get-data of the simulated device (RFC 6241 §7.1, §7.7, RFC 8526 §3.1.1).

Does: the tree, what of it the user may see, what the filter selects, as deep as was asked, as the
text of a reply. Does not: know what is in the tree.

Rules: what may not be read is gone before the filter looks (RFC 8341 §3.2.4); a filter that cannot
be evaluated is refused, never half applied; without a filter everything is meant (RFC 6241 §6.4.1),
with an empty one nothing (§6.4.2).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from lxml import etree

from collector.errors import ProtocolError, WireError
from collector.model import SelectionFilter
from collector.wire.netconf.rpc import Data, Get, GetConfig, GetData, Rpc
from publisher_sim.data.filters import FilterUnsupportedError, compile_filter, pruned
from publisher_sim.master.retrieval.origins import annotate
from publisher_sim.master.retrieval.shaping import cut_below, take_away
from publisher_sim.master.retrieval.state import StateTree
from publisher_sim.master.retrieval.writing import to_text
from publisher_sim.users.access import hide

if TYPE_CHECKING:
    from publisher_sim.master.dispatch import Answer
    from publisher_sim.master.sessions import SessionInfo

OwnIds = Callable[["SessionInfo"], Collection[int]]
"""Session -> ids of the subscriptions of its user."""


class Answers:
    """Everything that reads."""

    def __init__(self, own: OwnIds, *, nmda: bool = True) -> None:
        """No datastore yet.

        Args:
            own: see ``OwnIds``.
            nmda: whether there is get-data.
        """
        self._own = own
        self._trees: dict[str, StateTree] = {}
        self.operations: tuple[str, ...] = ("ietf-netconf:get", "ietf-netconf:get-config")
        if nmda:
            self.operations += ("ietf-netconf-nmda:get-data",)

    def add(self, datastore: str, tree: StateTree) -> None:
        """From now on a datastore is that tree; ``operational`` is what ``get`` reads."""
        self._trees[datastore] = tree

    def answer(self, session: SessionInfo, rpc: Rpc, now: int) -> Answer:
        """One of ``operations``. Raises ProtocolError."""
        match rpc.operation:
            case Get():
                return self._data(session, "operational", rpc.operation.selection, now), []
            case GetConfig():
                return self._data(session, rpc.operation.source, rpc.operation.filter, now), []
            case GetData():
                return self._get_data(session, rpc.operation, now), []
            case _:
                raise AssertionError(rpc.operation)

    def _get_data(self, session: SessionInfo, asked: GetData, now: int) -> Data:
        datastore = asked.datastore
        if asked.with_origin and datastore != "operational":  # its "when" (RFC 7950 §8.3.1)
            raise ProtocolError(f"there are no origins in {datastore}", tag="unknown-element")
        if asked.config_filter is not None:
            is_config = datastore != "operational"
            if is_config and not asked.config_filter:
                return Data()
            if not is_config and asked.config_filter:
                datastore = "running"
        without = None
        if datastore == "operational" and asked.config_filter is False:
            without = self._tree("running", None, now)
        return self._data(
            session, datastore, asked.filter, now, asked.max_depth, without, asked.with_origin
        )

    def _tree(self, datastore: str, selection: SelectionFilter | None, now: int) -> etree._Element:
        tree = self._trees.get(datastore)
        if tree is None:
            raise ProtocolError(f"there is no datastore {datastore} here", tag="invalid-value")
        return tree.build(selection, now)

    def _data(
        self,
        session: SessionInfo,
        datastore: str,
        selection: SelectionFilter | None,
        now: int,
        depth: int | None = None,
        without: etree._Element | None = None,
        with_origin: bool = False,
    ) -> Data:
        try:
            root = self._tree(datastore, selection, now)
            if with_origin:  # before anything is hidden: it looks at what may not be read
                annotate(root)
            hide(root, session.access, self._own(session), session.reads)
            if without is not None:
                take_away(root, without)
            marks = set(root) if selection is None else compile_filter(selection).marks(root)
        except (FilterUnsupportedError, WireError) as error:
            raise ProtocolError(f"the filter: {error}", tag="operation-not-supported") from error
        if depth is not None:
            for node in marks:
                cut_below(node, depth)
        kept = (pruned(node, marks) for node in root)
        return Data("".join(to_text(node) for node in kept if node is not None))
