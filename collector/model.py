"""Identifiers, enumerations and frozen values that cross file borders. No behaviour.

Rules: times are whole nanoseconds since 1970-01-01T00:00:00Z, of one of two clocks that are
never mixed (``DeviceTime``, ``CollectorTime``; ``core.clocks.lag`` is the only place that subtracts
them). A name in another unit says so (``period_cs``). Absent is ``None``, unknown is not invalid.
Structs of the hot path carry ``gc=False``: they never take part in a reference cycle.
"""

from __future__ import annotations

import enum
from typing import NewType

from msgspec import Struct

DeviceTime = NewType("DeviceTime", int)
"""ns since 1970 by the publisher's clock: says which period."""
CollectorTime = NewType("CollectorTime", int)
"""ns since 1970 by the collector's clock: says when to stop waiting."""
JournalOffset = NewType("JournalOffset", int)
"""Position of a record in the journal: the count of records before it, from 0."""

SECOND = 1_000_000_000
CENTISECOND = 10_000_000
"""ns in the unit of RFC 8641 ``period`` and ``dampening-period``."""


# --------------------------------------------------------------------------- wire words
class MediaType(enum.IntEnum):
    """``MT`` of draft-ietf-netconf-udp-notif-26 §8.1.1 with S=0; other numbers stay plain ints."""

    YANG_DATA_JSON = 1
    YANG_DATA_XML = 2
    YANG_DATA_CBOR = 3


class Transport(enum.IntEnum):
    """How a record reached us; stored as a number in the journal, so never renumber."""

    NONE = 0
    UDP_NOTIF = 1
    NETCONF = 2
    HTTPS_NOTIF = 3
    GRPC_DIALOUT = 4


class RecordKind(enum.IntEnum):
    """What one journal record is; stored, so never renumber."""

    DATA = 0
    """A whole notification message; payload as received."""
    UNREASSEMBLED = 1
    """Segments of a message that is still half built; payload: ``UnreassembledNote``."""
    REJECTED = 2
    """A datagram refused before its payload was looked at; payload: ``RejectedNote``."""
    REQUEST = 3
    """An RPC that we sent; payload: ``RpcNote``."""
    REPLY = 4
    """The answer to an RPC; payload: ``RpcNote``."""
    SESSION_UP = 5
    """payload: ``SessionNote``."""
    SESSION_DOWN = 6
    """payload: ``SessionNote``."""
    COLLECTOR_START = 7
    COLLECTOR_STOP = 8
    CONFIG = 9
    """payload: the engine's settings as JSON, secrets removed."""
    DROPS = 10
    """Our own kernel or queue dropped; payload: ``DropsNote``."""
    TICK = 11
    """Nothing arrived, but we were listening; also what lets timers run again on replay."""
    CLOCK = 12
    """The machine's clock was moved, and ours with it if forward; payload: ``ClockNote``."""
    PAUSE = 13
    """There was no room for a while; what waited follows late; payload: ``PauseNote``."""


class NotificationKind(enum.StrEnum):
    """Local name of the notification inside its wrapper (RFC 8639 §2.7, RFC 8641 §3.7)."""

    PUSH_UPDATE = "push-update"
    PUSH_CHANGE_UPDATE = "push-change-update"
    SUBSCRIPTION_STARTED = "subscription-started"
    SUBSCRIPTION_MODIFIED = "subscription-modified"
    SUBSCRIPTION_SUSPENDED = "subscription-suspended"
    SUBSCRIPTION_RESUMED = "subscription-resumed"
    SUBSCRIPTION_TERMINATED = "subscription-terminated"
    SUBSCRIPTION_COMPLETED = "subscription-completed"
    REPLAY_COMPLETED = "replay-completed"
    OTHER = "other"
    """A notification of another module: kept, counted, not judged."""


# --------------------------------------------------------------------------- subscriptions
class SelectionFilter(Struct, frozen=True):
    """What is selected (RFC 8641 §3.6)."""

    kind: str
    """``xpath``, ``subtree`` or ``ref`` (a named filter on the device)."""
    text: str
    """The XPath, the subtree as XML text, or the name."""
    namespaces: dict[str, str] = {}
    """prefix -> namespace URI (XML) or module name (JSON), for an XPath."""


class OnChange(Struct, frozen=True):
    """``on-change`` trigger (RFC 8641 §4.2)."""

    dampening_period: int = 0
    """ns."""
    sync_on_start: bool = True
    excluded_change: tuple[str, ...] = ()


class SubscriptionTerms(Struct, frozen=True):
    """What subscriber and publisher agreed on; a change of one of these opens a new revision."""

    datastore: str | None = None
    """Identity without its module, as in ``operational``; None for a stream subscription."""
    stream: str | None = None
    selection_filter: SelectionFilter | None = None
    period: int | None = None
    """ns; None when on-change or not said."""
    anchor_time: DeviceTime | None = None
    on_change: OnChange | None = None
    encoding: str | None = None
    """Identity without its module, as in ``encode-json``; None means that of the RPC (XML)."""
    transport: str | None = None
    stop_time: DeviceTime | None = None
    dscp: int | None = None
    weighting: int | None = None
    dependency: int | None = None
    replay_start_time: DeviceTime | None = None
    module_versions: tuple[tuple[str, str, str], ...] = ()
    """(module name, revision, version); empty text where not said."""


class StateChange(Struct, frozen=True):
    """What a subscription state change notification carries beyond its id (RFC 8639 §2.7)."""

    terms: SubscriptionTerms | None = None
    """Set for started and modified."""
    generators: tuple[str, ...] | None = None
    """Message generators in the order given, duplicates merged; None when there is no list."""
    reason: str | None = None
    """Identity without its module, for suspended and terminated."""
    yang_library_content_id: str | None = None


class Notification(Struct, frozen=True, gc=False):
    """The envelope of one notification message, contents left undecoded."""

    kind: NotificationKind
    name: str
    """As read, ``module:local-name`` where the module is known, else the local name."""
    root: str
    """Which wrapper it came in, one of ``wire.names.ROOT_FORMS`` (digest of wrapper forms)."""
    subscription_id: int | None = None
    event_time: DeviceTime | None = None
    observation_time: DeviceTime | None = None
    """``ietf-yp-observation:timestamp`` or its predecessor ``observation-time``."""
    point_in_time: str | None = None
    generator: str | None = None
    """Originator id found in the payload, any spelling; decimal ids without leading zeros."""
    hostname: str | None = None
    sequence_number: int | None = None
    incomplete_update: bool = False
    state_change: StateChange | None = None


# --------------------------------------------------------------------------- journal
class ReceivedBatch:
    """One batch of records, as columns of equal length; what receivers hand up and journals keep.

    Every column is a list with one entry a record. Whoever builds a batch fills every column;
    nobody changes it after it was handed over.
    """

    # the order is that of the journal's columns
    __slots__ = (  # noqa: RUF023
        "received_at", "kind", "transport", "session", "peer", "port", "version", "flags",
        "media_type", "publisher_id", "message_id", "segments", "options", "payload",
    )  # fmt: skip

    def __init__(self) -> None:
        self.received_at: list[int] = []
        """CollectorTime, ns; never decreases within a journal."""
        self.kind: list[int] = []
        """``RecordKind``."""
        self.transport: list[int] = []
        """``Transport``."""
        self.session: list[str] = []
        """Management session the record belongs to; empty for UDP."""
        self.peer: list[str] = []
        """Source address as text, IPv4-mapped IPv6 written as IPv4; empty for our own records."""
        self.port: list[int] = []
        """Source port, 0 when there is none."""
        self.version: list[int] = []
        """Header version of the transport."""
        self.flags: list[int] = []
        """Bits ``FLAG_*`` below."""
        self.media_type: list[int] = []
        """``MediaType``, or the number as received."""
        self.publisher_id: list[int] = []
        """uint32 of the transport header; 0 without ``FLAG_IDS``."""
        self.message_id: list[int] = []
        """uint32 of the transport header; 0 without ``FLAG_IDS``."""
        self.segments: list[int] = []
        """Datagrams that the message came in; 1 when it was whole."""
        self.options: list[bytes] = []
        """Options of the header as received, segmentation left out; mostly empty."""
        self.payload: list[bytes] = []

    def __len__(self) -> int:
        return len(self.received_at)

    def append(
        self,
        received_at: int,
        kind: int,
        payload: bytes,
        *,
        transport: int = Transport.NONE,
        session: str = "",
        peer: str = "",
        port: int = 0,
        version: int = 0,
        flags: int = 0,
        media_type: int = 0,
        publisher_id: int = 0,
        message_id: int = 0,
        segments: int = 1,
        options: bytes = b"",
    ) -> None:
        """Add one record (the slow way, for single records; receivers fill whole columns)."""
        self.received_at.append(received_at)
        self.kind.append(kind)
        self.transport.append(transport)
        self.session.append(session)
        self.peer.append(peer)
        self.port.append(port)
        self.version.append(version)
        self.flags.append(flags)
        self.media_type.append(media_type)
        self.publisher_id.append(publisher_id)
        self.message_id.append(message_id)
        self.segments.append(segments)
        self.options.append(options)
        self.payload.append(payload)


FLAG_PRIVATE = 1
"""``flags``: the S bit, the media type is of the private space."""
FLAG_IDS = 2
"""``flags``: publisher_id and message_id were in the transport header."""


class UnreassembledNote(Struct, frozen=True):
    """Payload of ``RecordKind.UNREASSEMBLED``, as JSON."""

    first_arrival: CollectorTime
    segments_had: int
    segments_total: int | None = None
    """None while the last segment has not been seen."""


class RejectedNote(Struct, frozen=True):
    """Payload of ``RecordKind.REJECTED``, as JSON."""

    reason: str
    detail: str = ""


class RpcNote(Struct, frozen=True):
    """Payload of ``RecordKind.REQUEST`` and ``REPLY``, as JSON; never holds a secret."""

    device: str
    subscription: str
    """Name of the wanted subscription in the configuration."""
    operation: str
    """``establish-subscription`` ..."""
    request: str
    """The rpc as XML text."""
    reply: str | None = None
    """The rpc-reply as XML text; None in a REQUEST."""


class SessionNote(Struct, frozen=True):
    """Payload of ``RecordKind.SESSION_UP`` and ``SESSION_DOWN``, as JSON."""

    device: str
    reason: str = ""


class DropsNote(Struct, frozen=True):
    """Payload of ``RecordKind.DROPS``, as JSON: we lost datagrams ourselves."""

    since: CollectorTime
    """Start of the window in which they were dropped; its end is the record's ``received_at``."""
    count: int
    where: str
    """``kernel`` (socket buffer) or the name of a queue."""


class ClockNote(Struct, frozen=True):
    """Payload of ``RecordKind.CLOCK``, as JSON: wall clock and collector's clock came apart."""

    since: CollectorTime
    """The collector's time before; the record's ``received_at`` is the time after."""
    moved: int
    """ns by which the wall clock is ahead, negative: behind (the collector's does not go back)."""


class PauseNote(Struct, frozen=True):
    """Payload of ``RecordKind.PAUSE``, as JSON: for a time nothing was taken.

    The record stands where the time began: what waited in the receivers follows it.
    """

    since: CollectorTime
    until: CollectorTime
    reason: str
    """Why, in a sentence."""


# --------------------------------------------------------------------------- engine: in
class Update(Struct, frozen=True, gc=False):
    """One content notification on its way into the engine."""

    arrival: CollectorTime
    device: str
    source: str
    """Peer address."""
    port: int
    publisher_id: int | None
    """Header id; None where the transport has none."""
    message_id: int | None
    subscription_id: int | None
    generator: str | None
    """Originator id of the payload; None when only the header has one."""
    kind: NotificationKind
    event_time: DeviceTime | None
    observation_time: DeviceTime | None
    incomplete_update: bool
    offset: int
    """Journal offset."""


class StateChanged(Struct, frozen=True, gc=False):
    """A subscription state change notification."""

    arrival: CollectorTime
    device: str
    source: str
    port: int
    publisher_id: int | None
    message_id: int | None
    notification: Notification
    offset: int


class Established(Struct, frozen=True, gc=False):
    """A successful establish-subscription (or modify-subscription) reply with what was asked."""

    arrival: CollectorTime
    device: str
    name: str
    """``subscription_name`` of the configuration: the series key for people."""
    subscription_id: int
    terms: SubscriptionTerms
    generators: tuple[str, ...] | None
    offset: int
    expect: tuple[str, ...] | None = None
    """Generators that the operator configured for this subscription."""
    modified: bool = False
    """True for the reply to modify-subscription."""


class Ended(Struct, frozen=True, gc=False):
    """A subscription is over without a notification saying so: deleted, killed, session lost."""

    arrival: CollectorTime
    device: str
    subscription_id: int | None
    """None: every dynamic subscription of the device (its session ended)."""
    reason: str
    offset: int


class Unreassembled(Struct, frozen=True, gc=False):
    """A message is half built: a gap of one id, cause ``unreassembled``, at its first arrival."""

    arrival: CollectorTime
    device: str
    source: str
    port: int
    publisher_id: int
    message_id: int
    first_arrival: CollectorTime
    offset: int


class Rejected(Struct, frozen=True, gc=False):
    """A message with a good header whose payload was refused: its id stays a hole."""

    arrival: CollectorTime
    device: str
    source: str
    port: int
    publisher_id: int | None
    message_id: int | None
    reason: str
    offset: int


class Dropped(Struct, frozen=True, gc=False):
    """Our own side dropped messages between ``since`` and ``arrival``."""

    arrival: CollectorTime
    since: CollectorTime
    count: int
    offset: int


class CollectorDown(Struct, frozen=True, gc=False):
    """We did not listen between ``since`` (last record) and ``arrival`` (start)."""

    arrival: CollectorTime
    since: CollectorTime
    offset: int
    clock_moved: bool = False
    """Our clock jumped: until a period later every publisher's clock looks moved."""


class CollectorStopped(Struct, frozen=True, gc=False):
    """An orderly stop: every open period is closed, COMPLETE or NOT_JUDGED(ended)."""

    arrival: CollectorTime
    offset: int


class Tick(Struct, frozen=True, gc=False):
    """Time passes: deadlines up to ``arrival`` are due."""

    arrival: CollectorTime
    offset: int


# --------------------------------------------------------------------------- engine: out
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


class Provenance(enum.StrEnum):
    """Who said which generators are expected."""

    DECLARED = "declared"
    CONFIGURED = "configured"
    LEARNED = "learned"


class GeneratorCause(Struct, frozen=True):
    """A generator and why it is missing or degraded."""

    generator: str
    cause: Cause


class Verdict(Struct, frozen=True):
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


class SubscriptionRow(Struct, frozen=True):
    """One row of the ``subscriptions`` table; a new row whenever something in it changes."""

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


Fact = Verdict | Event | SubscriptionRow
"""What the engine says."""
EngineInput = (
    Update
    | StateChanged
    | Established
    | Ended
    | Unreassembled
    | Rejected
    | Dropped
    | CollectorDown
    | CollectorStopped
    | Tick
)
"""What the engine is told."""


class Placements(Struct, gc=False):
    """Where the engine put each ``Update`` of a batch; lists of the batch's length."""

    generators: list[str]
    revisions: list[int]
    """-1 while the subscription is unknown."""
    period_indexes: list[int | None]
