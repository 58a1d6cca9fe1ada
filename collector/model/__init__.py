"""Identifiers, enumerations and frozen values that cross file borders. No behaviour.

    times           the two clocks, and the offset of a record
    subscriptions   terms, and what a state change says
    notifications   the envelope of a notification message
    columns         values of which few differ, and octets, without an object a row
    records         columns of records, as receivers hand them up and the journal keeps them
    notes           payloads of our own kinds of record
    inputs          what the engine is told
    facts           what the engine says: verdicts, events, subscriptions

Rules: import from here (``from collector.model import Verdict``), the rooms are for reading. Times
are whole nanoseconds since 1970 of one of two clocks; a name in another unit says so
(``period_cs``). Absent is ``None``, unknown is not invalid. Structs of the hot path carry
``gc=False``: they never take part in a reference cycle.
"""

from __future__ import annotations

from collector.model.columns import NOTHING, Coded, Octets, numbers
from collector.model.facts import (
    Cause,
    Event,
    Fact,
    GeneratorCause,
    NotJudgedReason,
    Outcome,
    Placements,
    Provenance,
    SubscriptionRow,
    Verdict,
)
from collector.model.inputs import (
    CollectorDown,
    CollectorStopped,
    Dropped,
    Ended,
    EngineInput,
    Established,
    Rejected,
    StateChanged,
    Tick,
    Unreassembled,
    Update,
)
from collector.model.notes import (
    ClockNote,
    DropsNote,
    PauseNote,
    RejectedNote,
    RpcNote,
    SessionNote,
    UnreassembledNote,
)
from collector.model.notifications import (
    Notification,
    NotificationKind,
)
from collector.model.records import (
    CERTIFICATE_SESSION,
    FLAG_IDS,
    FLAG_PRIVATE,
    MediaType,
    ReceivedBatch,
    RecordKind,
    Transport,
)
from collector.model.subscriptions import (
    OnChange,
    SelectionFilter,
    StateChange,
    SubscriptionTerms,
)
from collector.model.times import (
    CENTISECOND,
    SECOND,
    CollectorTime,
    DeviceTime,
    JournalOffset,
)

__all__ = [
    "CENTISECOND",
    "CERTIFICATE_SESSION",
    "FLAG_IDS",
    "FLAG_PRIVATE",
    "NOTHING",
    "SECOND",
    "Cause",
    "ClockNote",
    "Coded",
    "CollectorDown",
    "CollectorStopped",
    "CollectorTime",
    "DeviceTime",
    "Dropped",
    "DropsNote",
    "Ended",
    "EngineInput",
    "Established",
    "Event",
    "Fact",
    "GeneratorCause",
    "JournalOffset",
    "MediaType",
    "NotJudgedReason",
    "Notification",
    "NotificationKind",
    "Octets",
    "OnChange",
    "Outcome",
    "PauseNote",
    "Placements",
    "Provenance",
    "ReceivedBatch",
    "RecordKind",
    "Rejected",
    "RejectedNote",
    "RpcNote",
    "SelectionFilter",
    "SessionNote",
    "StateChange",
    "StateChanged",
    "SubscriptionRow",
    "SubscriptionTerms",
    "Tick",
    "Transport",
    "Unreassembled",
    "UnreassembledNote",
    "Update",
    "Verdict",
    "numbers",
]
