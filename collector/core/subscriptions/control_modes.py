"""The three control modes and what tells them apart: the leaf-list that the originators stand in.

Does: name the mode that a subscription was set up in. Does not: change any rule; the engine treats
all modes alike, since lists, ids and state changes were read into one form before.
Rules: the base document has a leaf-list of its own name, whatever its ids look like. Of the
revisions of distributed-notif only those up to -18 have dynamic subscriptions, or a leaf-list of
another name than the present one. Where no list was told nobody can say which mode it is.
Spec: draft-zhou-netconf-multi-stream-originators-10 (``mso``);
draft-ietf-netconf-distributed-notif-06..-18; -19 (configured subscriptions only). What configured
subscriptions of -08 and of -14..-18 tell is the same as that of -19, and called so.
"""

from __future__ import annotations

MSO = "mso"
DISTRIBUTED_18 = "distributed-notif-18"
DISTRIBUTED_19 = "distributed-notif-19"
UNKNOWN = "unknown"

_MSO_LEAF = "message-generator-id"
_LEAF_19 = "message-publisher-id"


def mode_of(origin: str, leaf: str | None) -> str:
    """The mode that a list shows.

    Args:
        origin: ``dynamic`` or ``configured`` (RFC 8639 §2.4, §2.5).
        leaf: name of the leaf-list that the device told it in; None without a list.
    """
    if leaf is None:
        return UNKNOWN
    if leaf == _MSO_LEAF:
        return MSO
    return DISTRIBUTED_19 if origin == "configured" and leaf == _LEAF_19 else DISTRIBUTED_18
