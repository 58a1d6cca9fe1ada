"""Parts of what the engine remembers that point to nothing else of it: folds, periods, lists.

Does not: decide anything; ``state`` says what each hangs under. Slots keep an originator at a few
hundred octets; times are ns, absent is None.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from msgspec import Struct

from collector.model import Provenance, Update, Verdict


class Slot(Struct, gc=False, eq=False):
    """The fold: what is kept of one originator in one period."""

    index: int
    first_arrival: int
    last_arrival: int
    count: int = 0
    incomplete: bool = False
    """A record carried ``incomplete-update``."""
    late: bool = False
    """A record came after the deadline, and not since our disk was full."""


class Remembered:
    """A lag that did not fit; the next record says whether the clock moved."""

    __slots__ = ("alone", "arrival_index", "held_up", "index", "lag")

    def __init__(self, lag: int, index: int, arrival_index: int, held_up: bool, alone: bool):
        self.lag = lag
        self.index = index
        """Where the record was placed."""
        self.arrival_index = arrival_index
        self.held_up = held_up
        self.alone = alone
        """It is the only one that was placed so."""


class Period:
    """One period of a subscription, from its first record until nothing can change any more."""

    __slots__ = (
        "amendments", "closed", "deadline", "final_due", "index", "plain", "row", "short",
        "slots", "touched",
    )  # fmt: skip

    def __init__(self, index: int) -> None:
        self.index = index
        self.slots: dict[str, Slot] = {}
        """Generator -> what is kept of it here."""
        self.closed = False
        """Its deadline passed."""
        self.deadline = 0
        """CollectorTime; valid once closed."""
        self.row: Verdict | None = None
        """The last row said."""
        self.amendments = 0
        self.final_due: int | None = None
        self.short = -1
        """Required originators that still owe records; -1 when it has to be counted."""
        self.plain = True
        """Nobody unexpected sent, and no record was incomplete."""
        self.touched = False
        """Something changed between an early verdict and the deadline."""


class ListInForce:
    """Who is expected, from a moment on."""

    __slots__ = ("allowed", "arrival", "members", "provenance", "since")

    def __init__(
        self, since: int | None, arrival: int, members: tuple[str, ...], provenance: Provenance
    ) -> None:
        self.since = since
        """DeviceTime from which it holds; None: always."""
        self.arrival = arrival
        self.members = members
        self.allowed = frozenset(members)
        self.provenance = provenance


_NONE_YET: Final[dict[str, Any]] = {}
"""One for all who have none, as ``state.NONE_YET``: it stays empty."""


class Stranger:
    """A generator that sends and is not on the declared list."""

    __slots__ = ("absent", "present", "since")

    def __init__(self, since: int) -> None:
        self.since = since
        """Arrival of its first record that was noticed."""
        self.present = 0
        """Periods in which it sent."""
        self.absent = 0
        """Periods running in which it did not."""


class Life:
    """What the device declares for a subscription, and what people were told of it."""

    __slots__ = (
        "against", "against_run", "changes", "contradiction", "declared", "due", "expect", "hold",
        "is_open", "short", "short_due", "spoke_at", "strangers", "told", "told_due", "unheard",
    )  # fmt: skip

    def __init__(self) -> None:
        self.declared: tuple[str, ...] | None = None
        """The newest list of the device, whichever list counts; None before the first."""
        self.told: tuple[str, ...] = ()
        """The list that people know."""
        self.spoke_at = 0
        """When they were told."""
        self.hold = 0
        """ns after which the next change is told; longer for a list that is never steady."""
        self.changes = 0
        """Changes since they were told."""
        self.told_due: int | None = None
        """When these are told."""
        self.expect: tuple[str, ...] = ()
        """The operator's list."""
        self.short: tuple[str, ...] = ()
        """Whom the device does not declare of it, as people were told."""
        self.short_due: int | None = None
        """When they are told otherwise."""
        self.due: int | None = None
        """The earlier one of the two, as entered among the deadlines."""
        self.is_open = False
        """There is something of the four below that a good period may end."""
        self.strangers: dict[str, Stranger] = _NONE_YET
        self.unheard: dict[str, int] = _NONE_YET
        """Declared, not heard in this revision -> periods in which others sent."""
        self.contradiction: tuple[str, ...] = ()
        """In what list and data differ, as people were told."""
        self.against: tuple[str, ...] = ()
        """In what else they differ now, and in how many periods running."""
        self.against_run = 0


class Windows:
    """When we ourselves lost or could not hear, as a device knows it: (from, to), CollectorTime."""

    __slots__ = ("blind", "downs", "drops", "pauses", "stalls")

    def __init__(self) -> None:
        self.drops: list[tuple[int, int]] = []
        """Our own kernel or queue dropped datagrams."""
        self.downs: list[tuple[int, int]] = []
        """We did not listen."""
        self.pauses: list[tuple[int, int]] = []
        """Our disk was full, and streams were not read (``expectation.unread``)."""
        self.stalls: list[tuple[int, int]] = []
        """We stood still, up to when what came meanwhile is read; each by itself, the newest."""
        self.blind: list[tuple[int, int]] = []
        """Those of both after which not even datagrams had the times at which they came."""


class Unknown:
    """A subscription id of which no terms are known."""

    __slots__ = ("agreed", "gap", "held", "largest", "last_start", "last_time")

    def __init__(self) -> None:
        self.held: deque[Update] = deque()
        self.last_time: dict[str, int] = {}
        self.largest: dict[str, int] = {}
        self.last_start: dict[str, int] = {}
        """Per generator: last record time, largest distance, start of the last burst,"""
        self.gap: dict[str, int] = {}
        """snapped distance of the last two starts, and how often it came in a row."""
        self.agreed: dict[str, int] = {}
