"""Component subscriptions never overlap and together cover the global one (base draft §5)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher_sim.resource_location import Node, decompose
from publisher_sim.selection import Branch, Selection

MODULES = st.sampled_from(["ietf-interfaces", "ietf-hardware"])
NAMES = st.sampled_from(["a", "b", "c", "d"])
NODES = st.builds(Node, MODULES, NAMES)
PUBLISHERS = ["master", "lc1", "lc2", "lc3"]
BRANCHES = st.builds(Branch, MODULES, st.none() | NAMES, st.none() | st.just("statistics"))


@settings(max_examples=200, deadline=None)
@given(
    owners=st.dictionaries(NODES, st.sampled_from(PUBLISHERS)),
    branches=st.lists(BRANCHES, max_size=3),
    there=st.sets(st.sampled_from(PUBLISHERS[1:])),
)
@pytest.mark.clause("mso-5-b", "mso-5-c")
def test_no_overlap_and_full_cover(
    owners: dict[Node, str], branches: list[Branch], there: set[str]
) -> None:
    selection = Selection(tuple(branches))
    shares = decompose(owners, selection, ["master", *sorted(there)], "master")
    served = [node for share in shares.values() for node in share]
    assert len(served) == len(set(served))
    assert set(served) == {node for node in owners if selection.selects(node.module, node.key)}
    assert set(shares) <= {"master", *there}
    for publisher, share in shares.items():
        for node in share:
            assert owners[node] == publisher or publisher == "master"
    assert shares
