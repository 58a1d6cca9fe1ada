"""The three control modes and what tells them apart: where the list comes from, and how.

Does: name the mode that a subscription was set up in. Does not: change any rule; the engine treats
all modes alike, since lists, ids and state changes were read into one form before.
Spec: draft-zhou-netconf-multi-stream-originators-10 (``mso``: list in the establish reply, string
ids); draft-ietf-netconf-distributed-notif-06..-18 (the same with uint32 ids); -19 (configured
subscriptions only).
"""

from __future__ import annotations

MSO = "mso"
DISTRIBUTED_18 = "distributed-notif-18"
DISTRIBUTED_19 = "distributed-notif-19"
UNKNOWN = "unknown"

UINT32_MAX = 0xFFFFFFFF


def mode_of(origin: str, generators: tuple[str, ...] | None) -> str:
    """The mode that a list shows.

    Args:
        origin: ``dynamic`` or ``configured`` (RFC 8639 §2.4, §2.5).
        generators: as declared; None without a list.
    """
    if not generators:
        return UNKNOWN
    if not all(_is_uint32(one) for one in generators):
        return MSO
    return DISTRIBUTED_18 if origin == "dynamic" else DISTRIBUTED_19


def _is_uint32(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text[:11]) <= UINT32_MAX
