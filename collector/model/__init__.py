"""Identifiers, enumerations and frozen values that cross file borders. No behaviour.

    times           the two clocks, and the offset of a record
    subscriptions   terms, and what a state change says
    notifications   the envelope of a notification message
    identifiers     SIDs of YANG items, texts that say their type
    columns         values of which few differ, and octets, without an object a row
    quirks          switches for what publishers do otherwise than the drafts
    records         columns of records, as receivers hand them up and the journal keeps them
    notes           payloads of our own kinds of record
    inputs          what the engine is told
    facts           what the engine says: verdicts, events, subscriptions
    observed        what a capture or a journal shows of a publisher

Rules: import from here (``from collector.model import Verdict``), the rooms are for reading. Times
are whole nanoseconds since 1970 of one of two clocks; a name in another unit says so
(``period_cs``). Absent is ``None``, unknown is not invalid. Structs of the hot path carry
``gc=False``: they never take part in a reference cycle.
"""

from __future__ import annotations

from collector.model.columns import NOTHING, Coded, Octets, numbers
from collector.model.facts import (
    Cause,
    EditRow,
    Event,
    Fact,
    GeneratorCause,
    NotJudgedReason,
    Outcome,
    OutOfSync,
    Placements,
    Provenance,
    SubscriptionRow,
    Verdict,
)
from collector.model.identifiers import NO_SIDS, SID_MAX, PrefixedText, SidTable, TypedText
from collector.model.inputs import (
    CollectorDown,
    CollectorStopped,
    Dropped,
    Ended,
    EngineInput,
    Established,
    Paused,
    Rejected,
    StateChanged,
    StoodStill,
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
from collector.model.observed import (
    Observed,
    ObservedDatagram,
    ObservedHalfBuilt,
    ObservedMessage,
    ObservedRefusal,
    Origin,
)
from collector.model.quirks import WIRE_QUIRKS, Quirk
from collector.model.records import (
    CERTIFICATE_SESSION,
    FIRST_FURTHER_TRANSPORT,
    FLAG_IDS,
    FLAG_PRIVATE,
    PRIVATE_SPACE,
    MediaType,
    ReceivedBatch,
    RecordKind,
    Transport,
    transport_names,
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
    "FIRST_FURTHER_TRANSPORT",
    "FLAG_IDS",
    "FLAG_PRIVATE",
    "NOTHING",
    "NO_SIDS",
    "PRIVATE_SPACE",
    "SECOND",
    "SID_MAX",
    "WIRE_QUIRKS",
    "Cause",
    "ClockNote",
    "Coded",
    "CollectorDown",
    "CollectorStopped",
    "CollectorTime",
    "DeviceTime",
    "Dropped",
    "DropsNote",
    "EditRow",
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
    "Observed",
    "ObservedDatagram",
    "ObservedHalfBuilt",
    "ObservedMessage",
    "ObservedRefusal",
    "Octets",
    "OnChange",
    "Origin",
    "OutOfSync",
    "Outcome",
    "PauseNote",
    "Paused",
    "Placements",
    "PrefixedText",
    "Provenance",
    "Quirk",
    "ReceivedBatch",
    "RecordKind",
    "Rejected",
    "RejectedNote",
    "RpcNote",
    "SelectionFilter",
    "SessionNote",
    "SidTable",
    "StateChange",
    "StateChanged",
    "StoodStill",
    "SubscriptionRow",
    "SubscriptionTerms",
    "Tick",
    "Transport",
    "TypedText",
    "Unreassembled",
    "UnreassembledNote",
    "Update",
    "Verdict",
    "numbers",
    "transport_names",
]
