"""Component subscriptions never overlap and together cover the global one (base draft §5)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.model import SelectionFilter
from publisher_sim.cards.resource_location import decompose
from publisher_sim.data.entries import TREES, Node
from publisher_sim.data.filters import compile_filter, cut, tree_of
from publisher_sim.data.selection import EVERYTHING, select
from publisher_sim.scenario import Scenario
from publisher_sim.sources.datastore import Datastore

MODULES = st.sampled_from(["ietf-interfaces", "ietf-hardware"])
NAMES = st.sampled_from(["a", "b", "c", "d"])
NODES = st.builds(Node, MODULES, NAMES)
PUBLISHERS = ["master", "lc1", "lc2", "lc3"]
STEPS = st.sampled_from(["", "[name='a']", "[oper-status='up']", "[if-index > 500000]"])
BELOW = st.sampled_from(["", "/*", "/name", "/statistics/in-octets", "/sensor-data"])
DATASTORE = Datastore(Scenario(seed=1))
AT = 1_800_000_000_000_000_000


@st.composite
def xpaths(draw: st.DrawFn) -> SelectionFilter:
    paths = []
    for _ in range(draw(st.integers(1, 3))):
        module = draw(MODULES)
        container, entry = TREES[module]
        paths.append(f"/{module}:{container}/{entry}{draw(STEPS)}{draw(BELOW)}")
    return SelectionFilter("xpath", " | ".join(paths))


@settings(max_examples=150, deadline=None)
@given(
    owners=st.dictionaries(NODES, st.sampled_from(PUBLISHERS)),
    wanted=st.none() | xpaths(),
    there=st.sets(st.sampled_from(PUBLISHERS[1:])),
)
@pytest.mark.clause("mso-5-b", "mso-5-c")
def test_no_overlap_and_full_cover(
    owners: dict[Node, str], wanted: SelectionFilter | None, there: set[str]
) -> None:
    selection = select(wanted)
    shares = decompose(owners, selection, ["master", *sorted(there)], "master")
    served = [node for share in shares.values() for node in share]
    assert len(served) == len(set(served))
    assert set(served) == {node for node in owners if selection.selects(node.module, node.key)}
    assert set(shares) <= {"master", *there}
    for publisher, share in shares.items():
        for node in share:
            assert owners[node] == publisher or publisher == "master"
    assert shares
    pieces = [DATASTORE.contents(share, AT, selection) for share in shares.values()]
    assert _entries(pieces) == _entries([_retrieved(owners, wanted)])


def _retrieved(owners: dict[Node, str], wanted: SelectionFilter | None) -> dict[str, Any]:
    """The filter evaluated on the whole datastore at once, as a retrieval would."""
    whole = DATASTORE.contents(owners, AT, EVERYTHING)
    if wanted is None:
        return whole
    root = tree_of(whole)
    return cut(whole, root, compile_filter(wanted).marks(root))


def _entries(pieces: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (container, entry["name"]): entry
        for piece in pieces
        for container, lists in piece.items()
        for entries in lists.values()
        for entry in entries
    }
