"""What the engine remembers: plain mutable records that point to each other.

Does not: decide anything, nor hold the parts that point to nothing (``state_parts``).
Everything of one device hangs under its ``Device``; nothing here points to another device, so that
a device can be snapshot and forgotten alone. Times are ns, absent is None.
"""

from __future__ import annotations

from array import array
from typing import Any, Final

from collector.core.memory.arcs import Arc
from collector.core.memory.state_parts import (
    Life,
    ListInForce,
    Period,
    Remembered,
    Slot,
    Unknown,
    Windows,
)
from collector.model import NotificationKind, SubscriptionTerms

ALL_KEYS = -2
"""Key of the run that counts everything behind a header id."""
NO_SUBSCRIPTION = -1
"""Key of messages without a subscription id."""
NO_ARRIVAL = -(1 << 63)
EMPTY = (NO_ARRIVAL, 0, 0)
"""A place of a ring where no message is: its arrival, id and event time."""
NOTHING: frozenset[int] = frozenset()
"""One for all: Python makes a new one, of 216 octets, each time it is asked."""
NOBODY: frozenset[str] = frozenset()
NONE_YET: Final[dict[int, Any]] = {}
"""One for all who have none of something, 64 octets each otherwise. It stays empty: whoever is to
get the first one of them gets a dict of its own before."""
PUSH_UPDATE: Final = str(NotificationKind.PUSH_UPDATE)

Speaker = tuple[int, str, str]
"""(subscription key, generator, kind) of a message."""


def new_ring(size: int) -> tuple[array[int], list[Speaker | None]]:
    """Places for so many messages, a power of two; see ``seen_ids``."""
    return array("q", EMPTY * size), [None] * size


class Originator:
    """One message generator in one subscription."""

    __slots__ = (
        "absurd_times", "arrival_base", "arrivals_from", "arrivals_to", "base", "counter", "doubt",
        "first_arrival", "first_index", "fresh", "heard", "heard_run", "holes", "lag",
        "last_arrival", "last_index", "last_time", "member", "name", "odd_times", "recent",
        "recount", "remembered", "restarts", "seen_arrivals_from", "seen_arrivals_to",
        "seen_times_from", "seen_times_to", "settled", "shift", "slipped", "slips", "speaker",
        "subscription", "times_from", "times_to", "usual", "varies",
    )  # fmt: skip

    def __init__(self, name: str, subscription: Subscription) -> None:
        self.name = name
        self.subscription = subscription
        self.speaker: Speaker = (subscription.id, name, PUSH_UPDATE)
        """Of its push-updates: one object for all places of the ring."""
        self.counter: Counter | None = None
        """The counter that its last message came in; None when nothing numbers them."""
        self.recent: list[Slot] = []
        """Closed periods in which it delivered, for the usual count; the newest last."""
        self.settled: tuple[int, ...] = ()
        """Counts of the last such periods before ``recent`` that no hole touched, newest last."""
        self.varies = False
        """The counts of its last clean periods differ."""
        self.shift = 0
        """ns subtracted from its record times."""
        self.lag = 0
        self.heard = False
        """It has arcs."""
        self.times_from = 0
        """The two arcs, offsets from nominal: of record times and of arrivals."""
        self.times_to = 0
        self.arrivals_from = 0
        self.arrivals_to = 0
        self.base = 0
        """index by record time = (time - base) // period."""
        self.arrival_base = 0
        """index by arrival = (arrival - arrival_base) // period."""
        self.fresh = False
        """The four below hold something that the arcs have not learned yet."""
        self.seen_times_from = 0
        """What was seen since arcs moved, counted from the two bases plus whole periods."""
        self.seen_times_to = 0
        self.seen_arrivals_from = 0
        self.seen_arrivals_to = 0
        self.slips = 0
        """Which way the next new period slips: +1, -1 or 0."""
        self.last_time = 0
        """Corrected time and arrival of its last record that tells of clock and arcs."""
        self.last_arrival = 0
        self.first_index: int | None = None
        """In this revision; None until heard."""
        self.first_arrival = 0
        self.last_index = 0
        self.usual: int | None = None
        """Usual count of records a period."""
        self.doubt: int | None = None
        """From this period on it may be another one, since nodes may have moved; else None."""
        self.recount = True
        """The usual count has to be read afresh."""
        self.member = False
        """It is required by the newest list."""
        self.remembered: Remembered | None = None
        self.holes: dict[int, tuple[Hole, ...]] = NONE_YET
        """period index -> the holes that are blamed on it there."""
        self.restarts: dict[int, list[Restart]] = NONE_YET
        self.slipped = NOTHING
        self.odd_times = 0
        self.absurd_times = 0
        self.heard_run = 0
        """Periods running that it, not required by a learned list, was present in."""

    @property
    def arrival_arc(self) -> Arc | None:
        """The arc of its arrivals; None until its first record."""
        return Arc(self.arrivals_from, self.arrivals_to) if self.heard else None

    @property
    def by_datagrams(self) -> bool:
        """Its messages come as datagrams, as far as is known."""
        return self.counter is not None and self.counter.by_datagrams


class Subscription:
    """One revision of a subscription: a stretch of unchanged terms."""

    __slots__ = (
        "anchored", "arc_end", "device", "due", "ended", "first_index", "full_at", "grace",
        "heard_before", "id", "kept", "known", "life", "lists", "live", "locked",
        "marks", "mode", "moved", "name", "next_index", "offset", "operator_list", "origin",
        "originators", "period", "period_source", "periods", "quiet", "range_from", "reason",
        "regular", "reply", "reply_index", "required_count", "revision", "rounds", "set_by",
        "silences", "since", "start_reason", "state", "suspensions", "terms", "until", "varies",
        "windows",
    )  # fmt: skip

    def __init__(
        self,
        device: str,
        windows: Windows,
        name: str,
        id_: int,
        revision: int,
        terms: SubscriptionTerms,
        period: int,
    ) -> None:
        self.device = device
        self.windows = windows
        self.name = name
        self.id = id_
        self.revision = revision
        self.terms = terms
        self.period = period
        """ns; 0 for a subscription without periods (on-change)."""
        self.period_source = "declared"
        self.origin = "configured"
        self.mode = "unknown"
        self.state = "active"
        self.reason = ""
        self.since = 0
        """CollectorTime at which the revision began."""
        self.until: int | None = None
        self.start_reason = "starting"
        """What the period in which the revision begins is called when it is not COMPLETE."""
        self.reply: int | None = None
        """Arrival of what set the terms; None when no start was seen."""
        self.reply_index: int | None = None
        self.set_by: tuple[str, int, int] | None = None
        """(source, header id, message id) of the state change that set the terms."""
        self.anchored = False
        self.offset: int | None = None
        """Offset of the grid from 1970; None until there is an anchor or a record."""
        self.grace = 0
        self.live = True
        self.first_index: int | None = None
        self.next_index = 0
        """The oldest period whose deadline has not passed."""
        self.due: int | None = None
        """When it passes."""
        self.originators: dict[str, Originator] = {}
        self.periods: dict[int, Period] = {}
        self.kept: list[int] = []
        """Indexes of ``periods`` that are closed, in order."""
        self.lists: list[ListInForce] = []
        self.operator_list = False
        self.known: frozenset[str] = NOBODY
        """Heard so far, while a list is being learned."""
        self.heard_before: frozenset[str] = NOBODY
        self.rounds = 0
        """Periods with data so far, while a list is being learned."""
        self.locked = False
        self.marks = 0
        """Holes, restarts and slips noted against its originators; 0 is the common case."""
        self.life: Life | None = None
        """What the device declares; None while neither it nor the operator named anybody."""
        self.full_at = 0
        """When its table of originators was last looked through for room."""
        self.varies = False
        """The counts of one of its originators differ."""
        self.regular = False
        """Every member of the newest list has a usual count."""
        self.moved = 0
        """The last period before that in which nodes may have moved."""
        self.required_count = 0
        self.arc_end = 0
        """ns from nominal to the deadline, without the grace, by the newest list."""
        self.suspensions: list[list[int | None]] = []
        """[from, to] by the publisher's clock."""
        self.ended: int | None = None
        """When it ended, by the publisher's clock."""
        self.quiet = 0
        """Closed periods running without any record."""
        self.silences: list[tuple[int, int]] = []
        """The newest ranges (first and last index) that were said as one row."""
        self.range_from: int | None = None
        """First period of a silence that will be said as one row."""


class Hole:
    """A run of missing ids, or one message that is half built or was refused."""

    __slots__ = (
        "after_arrival", "before_arrival", "blamed", "cause", "charged", "first_id", "found",
        "opened", "owing", "priced", "run", "size", "suspects",
    )  # fmt: skip

    def __init__(
        self, run: Run, first_id: int, size: int, before: int, after: int, cause: str
    ) -> None:
        self.run = run
        self.first_id = first_id
        self.size = size
        self.found: set[int] | frozenset[int] = NOTHING
        """Offsets from ``first_id`` that arrived after all."""
        self.before_arrival = before
        self.after_arrival = after
        self.opened = after
        self.cause = cause
        self.priced = False
        """It cost its book 1 that may be given back."""
        self.suspects: tuple[tuple[Originator, int], ...] = ()
        self.owing: list[tuple[Originator, int]] | None = None
        """Of these the ones that may owe records; None: each of them may."""
        self.blamed = 0
        """Suspects whose period can still change."""
        self.charged = False


class Restart:
    """A counter that began anew, between two arrivals."""

    __slots__ = ("run", "suspects")

    def __init__(self, run: Run) -> None:
        self.run = run
        self.suspects: list[tuple[Originator, int]] = []


class Run:
    """One run of Message IDs."""

    __slots__ = (
        "before_restart", "bundled", "counter", "first_arrival", "holes", "in_force", "key",
        "last_arrival", "last_id", "last_index", "last_originator", "last_time", "messages", "seen",
        "speakers", "unmet", "waiting",
    )  # fmt: skip

    def __init__(self, counter: Counter, key: int, in_force: bool) -> None:
        self.counter = counter
        self.key = key
        """Subscription id, ``NO_SUBSCRIPTION`` or ``ALL_KEYS``."""
        self.in_force = in_force
        """Its book is the one that counts."""
        self.last_id: int | None = None
        self.last_arrival = 0
        self.last_time = 0
        """Event time of the message with the last id."""
        self.last_originator: Originator | None = None
        self.last_index = 0
        self.before_restart: int | None = None
        """Arrival of the last message before the last restart."""
        self.first_arrival = 0
        self.messages = 0
        self.bundled = 1
        """Content notifications of its largest message."""
        self.holes: tuple[Hole, ...] = ()
        """Open ones; from before a restart they are no longer here."""
        self.unmet: tuple[Hole, ...] = ()
        """Holes without suspects that wait for the message behind them."""
        self.seen, self.speakers = new_ring(4)
        """The messages seen lately, each at its id modulo the size: see ``seen_ids``."""
        self.waiting: tuple[tuple[Originator, int], ...] = ()
        """Periods to be judged again when it speaks."""

    def close(self, hole: Hole) -> None:
        """It is open no longer."""
        self.holes = tuple(one for one in self.holes if one is not hole)


class Counter:
    """Everything behind one (source address, header id), with its two books."""

    __slots__ = (
        "all", "by_header", "cost_all", "cost_each", "decided", "each", "header_id", "irregular",
        "only_key", "originators", "per_key", "source", "swept",
    )  # fmt: skip

    def __init__(self, source: str, header_id: int | str) -> None:
        self.source = source
        self.header_id = header_id
        self.all = Run(self, ALL_KEYS, in_force=True)
        self.each: dict[int, Run] = NONE_YET
        """Runs per subscription; empty while there is one key, unless this book counts."""
        self.swept = 0
        """When runs of subscriptions that are over were last looked for."""
        self.only_key: int | None = None
        self.cost_all = 0
        self.cost_each = 0
        self.decided = False
        self.per_key = False
        """The book with a run per subscription counts."""
        self.by_header: Originator | None = None
        """The last originator that was named by the header id alone."""
        self.originators: tuple[Originator, ...] = ()
        """Who speaks here, or did before it spoke in another one; see ``add``."""
        self.irregular: tuple[Subscription, ...] = ()
        """Whose records come here when something happens, not on ticks."""

    def add(self, originator: Originator) -> None:
        """It speaks here, in the place of one of the same name in an older revision."""
        name, key = originator.name, originator.subscription.id
        known = self.originators
        for place, one in enumerate(known):
            if one.name == name and one.subscription.id == key:
                self.originators = (*known[:place], originator, *known[place + 1 :])
                return
        self.originators = (*known, originator)

    def add_irregular(self, subscription: Subscription) -> None:
        """A record of it came that belongs to no period."""
        if subscription not in self.irregular:
            self.irregular = (*(one for one in self.irregular if one.live), subscription)

    @property
    def by_datagrams(self) -> bool:
        """Its messages come as datagrams: of all transports only UDP-notif's header has ids."""
        return isinstance(self.header_id, int)

    @property
    def last_arrival(self) -> int:
        """Of its last message, in whichever book that was followed."""
        return max(run.last_arrival for run in (self.all, *self.each.values()))

    def run_of(self, key: int) -> Run:
        """The run that counts for a subscription."""
        return self.each.get(key, self.all) if self.per_key else self.all


class Device:
    """One device: all that is known of its subscriptions and counters."""

    __slots__ = (
        "aliases", "counters", "displaced", "duplicates", "fell_off", "name", "next_offset",
        "nobodys", "ports", "subscriptions", "unknown", "windows",
    )  # fmt: skip

    def __init__(self, name: str) -> None:
        self.name = name
        self.windows = Windows()
        self.duplicates = 0
        """Messages that came twice."""
        self.next_offset = 0
        """Inputs before this journal offset are known already (after a restart)."""
        self.subscriptions: dict[int, Subscription] = {}
        self.displaced: dict[str, Subscription] = {}
        """Name -> its last revision, where another name has the id now."""
        self.counters: dict[tuple[str, int | str], Counter] = {}
        self.unknown: dict[int, Unknown] = {}
        self.aliases: dict[int, int] = {}
        """Id that data carries -> id of its subscription."""
        self.nobodys: list[tuple[str, int]] = []
        """(source, id) of the last messages of which nobody could tell whose id it is."""
        self.ports: dict[tuple[str, int], list[int]] = {}
        """(source, port) -> subscriptions started there that have no data yet."""
        self.fell_off: dict[str, int] = {}
        """Limit -> how often it refused something."""

    def count_refused(self, limit: str) -> None:
        """A table is full: something was refused, or fell off."""
        self.fell_off[limit] = self.fell_off.get(limit, 0) + 1
