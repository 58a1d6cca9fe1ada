"""The simulated operational datastore: the selected part of some of its list entries, at a tick.

Does not: keep state, or make values (``entries`` does); know owners.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from publisher_sim.entries import TREES, entry
from publisher_sim.resource_location import Node
from publisher_sim.selection import Selection


def contents(
    seed: int, nodes: Iterable[Node], selection: Selection, nominal: int
) -> dict[str, Any]:
    """The ``datastore-contents`` of one push-update at a tick; empty when nothing is selected.

    Args:
        seed: of the scenario.
        nodes: which list entries; each has one owner, so two updates never overlap.
        selection: what of them.
        nominal: the tick, ns since 1970.
    """
    found: dict[str, Any] = {}
    for node in nodes:
        values = entry(seed, node.module, node.key, nominal)
        selected = selection.of(node.module, node.key, values)
        if selected is None:
            continue
        container, name = TREES[node.module]
        found.setdefault(f"{node.module}:{container}", {name: []})[name].append(selected)
    return found
