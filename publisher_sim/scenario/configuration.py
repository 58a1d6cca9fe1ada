"""The table ``[configuration]``: a device whose subscriptions can be configured over NETCONF."""

from __future__ import annotations

from typing import Literal

from publisher_sim.scenario.table import Table


class Configuration(Table, frozen=True):
    """A configuration datastore (RFC 6241 §5.1) that subscribers may edit: receivers and configured
    subscriptions (RFC 8639 §2.5), which push to where they say, over udp-notif or https."""

    candidate: bool = True
    """Whether there is a candidate datastore (RFC 6241 §8.3)."""
    writable_running: bool = True
    """Whether running can be edited directly (RFC 6241 §8.2)."""
    confirmed_commit: bool = True
    """With candidate: whether it can take a commit back that nobody confirms (RFC 6241 §8.4)."""
    startup: bool = False
    """Whether what it starts with is a datastore of its own, which a copy alone changes
    (RFC 6241 §8.7)."""
    spelling: Literal["new", "old"] = "new"
    """``new``: leaf names of udp-notif-26 and https-notif-16; ``old``: those of udp-notif-08 and
    https-notif-15. The device knows no others."""
    purpose: bool = True
    """Whether it knows the leaf ``purpose``; real devices often do not."""
    connect_seconds: float = 10.0
    """How long a receiver may be unreachable before it is ``disconnected`` (RFC 8639 §2.5.1)."""
    initial: str = ""
    """What running holds at the start, as XML below ``<config>``; empty: nothing."""
