"""Whether anything of an on-change subscription could ever be said.

Does not: know when something changes (``flaps`` does). Rules: what does not exist may be subscribed
to (RFC 8641 §3.9); what exists and is never said on-change is ``on-change-unsupported``, what is
said but never changes is an ``unchanging-selection`` (RFC 8641 §5).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from collector.wire.netconf.errors import refusal
from publisher_sim.data.entries import UP, Node, State, notifiable, sample
from publisher_sim.data.selection import Selection

_OTHERWISE: Final = State(down=True, shut=True, since=1)


def check_notifiable(
    selection: Selection, nodes: Iterable[Node], transient: Collection[str]
) -> None:
    """Raise ProtocolError when the nodes hold nothing that an update could be about.

    Args:
        selection: what is selected of each.
        nodes: list entries that are there.
        transient: keys of those that come and go.
    """
    silent = constant = False
    for node in nodes:
        said = _said(selection, node, notifiable(0, node.module, node.key, UP))
        changed = _said(selection, node, notifiable(0, node.module, node.key, _OTHERWISE))
        if said != changed or (said and node.key in transient):
            return
        constant = constant or bool(said)
        silent = silent or bool(_said(selection, node, sample(node.module, node.key)))
    if constant:
        raise refusal("unchanging-selection", "what is selected never changes")
    if silent:
        raise refusal("on-change-unsupported", "what is selected changes all the time")


def _said(selection: Selection, node: Node, values: dict[str, Any]) -> dict[str, Any]:
    """What is selected beside the key."""
    found = selection.of(node.module, node.key, values) or {}
    return {name: value for name, value in found.items() if name != "name"}
