"""The whole scenario: its tables together, and what follows from several of them.

Does not: check values (``checks`` does). Durations are in ns wherever a property says so.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from collector.model import SECOND
from publisher_sim.scenario.behaviour import Behaviour, behaviour_of
from publisher_sim.scenario.cards import MASTER, Card, Master
from publisher_sim.scenario.changes import Changes
from publisher_sim.scenario.configuration import Configuration
from publisher_sim.scenario.configured import Configured
from publisher_sim.scenario.faults import Fault
from publisher_sim.scenario.limits import Limits
from publisher_sim.scenario.netconf import Netconf
from publisher_sim.scenario.push import Periods, Push
from publisher_sim.scenario.receiver import Receiver
from publisher_sim.scenario.retrieval import Retrieval
from publisher_sim.scenario.streams import NETCONF_STREAM, NamedFilter, Stream
from publisher_sim.scenario.table import Table
from publisher_sim.scenario.transports import TRANSPORTS, Continuity, Traits, continuity
from publisher_sim.scenario.users import User
from publisher_sim.truth import default_grace


class Scenario(Table, frozen=True):
    """The whole file."""

    name: str = "device"
    address: str = "127.0.1.1"
    """Loopback address that the device binds and sends from, one a device."""
    control_mode: Literal["mso", "distributed-notif-18", "distributed-notif-19"] = "mso"
    """How the list is spelled, and whether an update carries its publisher's id
    (distributed-notif -09 to -19 do, the base draft has the transport's header alone); -19 has
    configured subscriptions only."""
    behaves_like: str | tuple[str, ...] = ()
    """Routers and single quirks that it is like, names of ``scenario.behaviour``; none: it keeps to
    the drafts."""
    seed: int = 1
    periods: int = 60
    """How long the run lasts, counted in ticks of the first subscription; 0: until stopped."""
    grace_seconds: float | None = None
    """What the collector waits. None: the default that it derives from the period."""
    netconf: Netconf = Netconf()
    user: tuple[User, ...] = ()
    """Who may come in beside the user of ``netconf``."""
    retrieval: Retrieval = Retrieval()
    receiver: Receiver = Receiver()
    configured: Configured | None = None
    """None: it waits for establish-subscription."""
    configuration: Configuration | None = None
    """None: nothing of it can be configured over NETCONF."""
    push: Push = Push()
    period: Periods = Periods()
    limits: Limits = Limits()
    changes: Changes = Changes()
    master: Master = Master()
    card: tuple[Card, ...] = ()
    fault: tuple[Fault, ...] = field(default=())
    stream: tuple[Stream, ...] = ()
    filter: tuple[NamedFilter, ...] = ()

    @property
    def grace(self) -> int | None:
        """ns, as stated; None when it was not."""
        return None if self.grace_seconds is None else round(self.grace_seconds * SECOND)

    @property
    def period_ns(self) -> int:
        """Period that the timeline's rules are checked with, ns."""
        return round(self.period.seconds * SECOND)

    @property
    def effective_grace(self) -> int:
        """The stated grace, or the default for ``period_ns``, ns."""
        return default_grace(self.period_ns) if self.grace is None else self.grace

    @property
    def traits(self) -> Traits:
        """What its transport can carry."""
        return TRANSPORTS[self.receiver.transport]

    @property
    def encodings(self) -> tuple[str, ...]:
        """What its publishers are able to write, over its transport."""
        return (
            tuple(self.traits.media_types) if self.push.encodings is None else self.push.encodings
        )

    @property
    def encoding(self) -> str:
        """What ``simulate`` asks for."""
        return self.push.encoding or self.encodings[0]

    @property
    def continuity(self) -> Continuity:
        """Which numbers show a receiver that a message was lost."""
        return continuity(self.receiver.transport, self.push.header)

    @property
    def announces(self) -> bool:
        """Are state changes of its subscription sent?"""
        if self.configured is None:
            return True
        return self.configured.announce and self.traits.notifications

    @property
    def lists(self) -> bool:
        """Does it ever say who is to deliver?"""
        if not self.behaviour.lists:
            return False
        return self.configured is None or (self.announces and self.configured.announce_list)

    @property
    def behaves(self) -> tuple[str, ...]:
        """``behaves_like`` as a list."""
        like = self.behaves_like
        return (like,) if isinstance(like, str) else like

    @property
    def behaviour(self) -> Behaviour:
        """How it differs from the drafts. Raises KeyError, unless the scenario is checked."""
        return behaviour_of(self.behaves)

    @property
    def streams(self) -> tuple[Stream, ...]:
        """All event streams; ``NETCONF`` is one of them."""
        if any(one.name == NETCONF_STREAM for one in self.stream):
            return self.stream
        return (Stream(NETCONF_STREAM, "Events of the device"), *self.stream)

    @property
    def publishers(self) -> tuple[Card, ...]:
        """The master's own publisher first, then the cards."""
        own = self.master
        only = self.behaviour.publisher_id
        first = Card(
            MASTER, own.publisher_id if only is None else only, own.interfaces, own.hardware,
            phase=own.phase, arc=own.arc, transient=own.transient,
        )  # fmt: skip
        return (first, *self.card)

    def publisher(self, name: str) -> Card:
        """The publisher of that name. Raises KeyError."""
        for one in self.publishers:
            if one.name == name:
                return one
        raise KeyError(name)
