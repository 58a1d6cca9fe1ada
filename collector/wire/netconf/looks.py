"""What is asked of a device to hold its view of the subscriptions against ours.

Does: say the request, with only what is compared. Does not: compare
(``core.subscriptions.cross_check``), or read the reply (``replies`` does, whatever part of
the tree is there).

Rules: the list of originators is asked for in every spelling; a selection node of a namespace that
a server does not know selects nothing (RFC 6241 §6.2.1), and for one that refuses it there is the
request for the whole tree.
Spec: RFC 8639 §4 (subscriptions, receivers), base document §7.
"""

from __future__ import annotations

from typing import Final

from collector.model import SelectionFilter
from collector.wire.netconf.requests import Get
from collector.wire.values import names

CROSS_CHECK: Final = "cross-check"
"""Stands for the name of a subscription in the journal."""

_LISTS: Final = (
    (names.MSO, "message-generator-id"),
    (names.DN, "message-publisher-id"),
    (names.DN, "message-publisher-ids"),
    (names.DN, "message-observation-domain-id"),
    (names.DN_OLD, "message-generator-id"),
    (names.DN_OLD, "message-observation-domain-id"),
)
_SELECTS: Final = (f"{names.SN}:subscriptions",)


def _filter() -> str:
    lists = "".join(f'<{leaf} xmlns="{names.namespace_of(module)}"/>' for module, leaf in _LISTS)
    receiver = "<name/><sent-event-records/><excluded-event-records/><state/>"
    return (
        f'<subscriptions xmlns="{names.namespace_of(names.SN)}"><subscription><id/>'
        f"<configured-subscription-state/>{lists}<receivers><receiver>{receiver}</receiver>"
        "</receivers></subscription></subscriptions>"
    )


LOOK: Final = Get(_SELECTS, SelectionFilter("subtree", _filter()))
"""Ids, states, originators, receivers with their counters and states."""
LOOK_AT_ALL: Final = Get(_SELECTS)
"""The same and everything else of ``/subscriptions``."""
