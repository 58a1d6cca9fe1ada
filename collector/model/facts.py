"""What the engine says: verdicts, events and rows of subscriptions, the store's tables.

Each value is a row; its fields are the columns of the table of the same name (``updates`` has none:
its rows are the journal's, placed by ``Placements``).
"""

from __future__ import annotations

import enum
from array import array

from msgspec import Struct

from collector.model.columns import NOTHING, Coded
from collector.model.times import CollectorTime, DeviceTime


class Outcome(enum.StrEnum):
    """One-word result of a period."""

    COMPLETE = "COMPLETE"
    DEGRADED = "DEGRADED"
    INCOMPLETE = "INCOMPLETE"
    UNKNOWN = "UNKNOWN"
    NOT_JUDGED = "NOT_JUDGED"


class Cause(enum.StrEnum):
    """Why a generator is missing (first group) or degraded (second)."""

    LOST_HERE = "lost_here"
    REJECTED = "rejected"
    UNREASSEMBLED = "unreassembled"
    LOST = "lost"
    RESTARTED = "restarted"
    SILENT = "silent"
    LEFT = "left"

    LOSS = "loss"
    POSSIBLE_LOSS = "possible_loss"
    INCOMPLETE_UPDATE = "incomplete_update"


class NotJudgedReason(enum.StrEnum):
    """Why a period is NOT_JUDGED."""

    STARTING = "starting"
    ENDED = "ended"
    SUSPENDED = "suspended"
    TERMS_CHANGED = "terms_changed"
    SLIPPED = "slipped"
    COLLECTOR_DOWN = "collector_down"
    """We did not listen, or our disk was full and what came over a stream was not read."""


class Provenance(enum.StrEnum):
    """Who said which generators are expected."""

    DECLARED = "declared"
    CONFIGURED = "configured"
    LEARNED = "learned"


class GeneratorCause(Struct, frozen=True):
    """A generator and why it is missing or degraded."""

    generator: str
    cause: Cause


class Verdict(Struct, frozen=True, gc=False):
    """One row of the ``verdicts`` table: the judgement of a period, or an amendment of it.

    Key: (device, subscription_id, revision, period_index, amendment).
    """

    device: str
    subscription_name: str
    subscription_id: int
    revision: int
    """Journal offset of the record that set the terms."""
    period_index: int
    period_to: int
    """Last index of a range; equal to ``period_index`` for a single period."""
    nominal_time: DeviceTime
    """Tick that the period stands for, ns since 1970."""
    amendment: int
    """0 for the first row, then 1, 2, ..."""
    final: bool
    outcome: Outcome
    reason: NotJudgedReason | None
    required: tuple[str, ...]
    received: tuple[str, ...]
    missing: tuple[GeneratorCause, ...]
    degraded: tuple[GeneratorCause, ...]
    unexpected: tuple[str, ...]
    late_generators: tuple[str, ...]
    provenance: Provenance | None
    """None when no list is known."""
    period_source: str
    """``declared``, ``configured`` or ``learned``: where the length of the period came from."""
    deadline: CollectorTime
    judged_at: CollectorTime


class Event(Struct, frozen=True):
    """One row of the ``events`` table: something that a person may want to know."""

    time: CollectorTime
    device: str
    subject: str
    """Generator, subscription or counter that it is about."""
    kind: str
    """Short fixed word, as in ``clock_step``."""
    text: str
    """One sentence."""


class EditRow(Struct, frozen=True, gc=False):
    """One row of the ``edits`` table: an edit of a push-change-update (RFC 8072 §2.5)."""

    received_at: CollectorTime
    device: str
    generator: str
    subscription_id: int | None
    revision: int | None
    journal_offset: int
    """Of the message."""
    patch_id: str
    position: int
    """Its place in the patch, from 0; edits apply in this order."""
    edit_id: str
    operation: str
    target: str
    point: str | None
    insert_where: str | None
    """``before``, ``after``, ``first`` or ``last``, of insert and move."""
    value: str | None
    """As JSON."""


class SubscriptionRow(Struct, frozen=True):
    """One row of the ``subscriptions`` table; a new row whenever something in it changes.

    Further columns come last and have a default: rows of earlier versions are read again.
    """

    time: CollectorTime
    device: str
    name: str
    id: int
    revision: int
    origin: str
    """``dynamic`` or ``configured`` (RFC 8639 §2.4, §2.5)."""
    mode: str
    """Control mode: ``mso``, ``distributed-notif-18``, ``distributed-notif-19`` or ``unknown``."""
    period_cs: int | None
    anchor: DeviceTime | None
    filter: str
    encoding: str
    generators: tuple[str, ...]
    provenance: Provenance | None
    state: str
    """``active``, ``suspended`` or ``ended``."""
    reason: str
    from_time: CollectorTime
    to_time: CollectorTime | None
    datastore: str | None = None
    """Identity without its module, as in ``operational``; None: a stream, or not said."""
    stream: str | None = None
    trigger: str | None = None
    """``periodic`` or ``on-change`` (RFC 8641 §4.2); None: a stream, or nobody knows."""
    filter_kind: str | None = None
    """``xpath``, ``subtree`` or ``ref``; None without a filter."""
    dampening_cs: int | None = None
    """Centiseconds; None when not on-change."""
    sync_on_start: bool | None = None
    """None when not on-change."""
    stop_time: DeviceTime | None = None
    replay_start_time: DeviceTime | None = None
    dscp: int | None = None
    transport: str | None = None
    """Identity without its module; None: not said, as for every dynamic one."""


class OutOfSync(Struct, frozen=True, gc=False):
    """An on-change subscription of which changes may be lost: to be asked for as a whole once more
    (RFC 8641 §4.4.4). No row of a table."""

    time: CollectorTime
    device: str
    subscription_id: int
    generator: str
    """Whose changes; empty where it is not known."""
    why: str


Fact = Verdict | Event | SubscriptionRow
"""What the engine says."""


class Placements(Struct, gc=False):
    """Where the engine put each ``Update`` of a batch; columns of the batch's length."""

    generators: Coded[str]
    revisions: array[int]
    """-1 while the subscription is unknown."""
    period_indexes: array[int]
    """``NOTHING`` where it has no period."""

    @classmethod
    def of(cls, rows: int) -> Placements:
        """Columns of so many rows, to be filled."""
        nothing = array("q", bytes(8 * rows))
        return cls(Coded.repeated("", rows), nothing, nothing[:])

    def put(self, row: int, generator: str, revision: int, period_index: int | None) -> None:
        """Fill one row."""
        self.generators.put(row, generator)
        self.revisions[row] = revision
        self.period_indexes[row] = NOTHING if period_index is None else period_index

    def extend(self, others: Placements) -> None:
        """Add further rows."""
        self.generators.extend(others.generators)
        self.revisions.extend(others.revisions)
        self.period_indexes.extend(others.period_indexes)
