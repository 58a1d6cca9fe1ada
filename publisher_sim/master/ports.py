"""What the master says to the world: actions, and the contract of whoever carries NETCONF for it.

Does not: open sockets, read clocks. Rules: actions are carried out in the order given; an action
for a session that is gone is dropped. Times are ns since 1970 by the device's clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collector.model import NotificationKind, StateChange
    from collector.wire.netconf.rpc import Rpc
    from publisher_sim.cards.channel import ComponentSubscription, ToAgent
    from publisher_sim.sources.events import EventRecord
    from publisher_sim.truth.accounts import TruthFact


class SendReply(Struct, frozen=True):
    """Send one rpc-reply (a whole XML document, no framing) on a session."""

    session_id: str
    message: bytes


class SendNotification(Struct, frozen=True):
    """Send one ``<notification>`` (a whole XML document, no framing) on a session."""

    session_id: str
    message: bytes


class Announce(Struct, frozen=True):
    """Send one state change to the receiver, where the data goes, by the master's own publisher.

    Its number is one of that publisher's (udp-notif-26 §3.2): state changes and updates count on.
    """

    component: ComponentSubscription
    """How it is sent: encoding and receiver."""
    kind: NotificationKind
    change: StateChange | None
    record: EventRecord | None = None
    """Instead of a state change, where ``kind`` is ``OTHER``."""


class CloseSession(Struct, frozen=True):
    """Close a session, after what was said to it before (RFC 6241 §7.8)."""

    session_id: str


class MarkSession(Struct, frozen=True):
    """Set the DSCP of the connection that a session uses (RFC 8639 §2.3)."""

    session_id: str
    dscp: int


class TellAgent(Struct, frozen=True):
    """Hand a message to one publisher (``master`` is the master's own one)."""

    publisher: str
    message: ToAgent


class StopCard(Struct, frozen=True):
    """Take the card's process away, without a chance to say good-bye."""

    card: str


class StartCard(Struct, frozen=True):
    """Start the card's process anew."""

    card: str


class Note(Struct, frozen=True):
    """Tell the truth what was done."""

    fact: TruthFact


Action = (
    SendReply | SendNotification | Announce | CloseSession | MarkSession | TellAgent | StopCard
    | StartCard | Note
)  # fmt: skip


class MasterPort(Protocol):
    """What a NETCONF server needs of the master. All calls return at once and never block."""

    def session_opened(self, session_id: str, user: str, now: int) -> list[Action]:
        """A session passed its hello exchange. ``session_id`` is unique for the server's life."""
        ...

    def rpc_received(self, session_id: str, rpc: Rpc, now: int) -> list[Action]:
        """One rpc, decoded by ``collector.wire.netconf.rpc``; the answer is among the actions."""
        ...

    def session_busy(self, session_id: str, busy: bool, now: int) -> list[Action]:
        """Its subscriber reads too slowly, or no longer: back-pressure of the session."""
        ...

    def session_closing(self, session_id: str, reason: str) -> None:
        """Its end follows, for this reason of RFC 6470 §2.1; the first one said stays."""
        ...

    def session_closed(self, session_id: str, now: int) -> list[Action]:
        """A session ended, by either side: its dynamic subscriptions end (RFC 8639 §2.4)."""
        ...
