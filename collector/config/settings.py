"""Every configuration key, once: type, default, limit, and what it means.

Does: hold the values as frozen structs. The text under a field is what ``collector init`` writes
above the key, so it is written for the operator: meaning first, unit and limit in it.
Does not: read files (``reading``), check what two keys mean together (``checks``), hold a secret:
passwords and keys are named by file or environment variable and read by ``secrets.read_secret``.
Rules: seconds and bytes in the configuration, as the key's name says; whole ns elsewhere.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from collector.config.sessions import CallHomeSettings, NetconfSettings, SessionsSettings
from collector.config.subscriptions import (
    KnownSubscriptionSettings,
    ReceiverInstanceSettings,
    SubscriptionSettings,
)
from collector.config.transports import (
    DtlsSettings,
    GrpcDialoutSettings,
    HttpsNotifSettings,
    ReassemblySettings,
    UdpNotifSettings,
)
from collector.config.types import BindPort, Name, QuirkName, Retention, Text, Timeout


class CollectorSettings(Struct, frozen=True, kw_only=True):
    """The process as a whole."""

    data_dir: Text = "yang-push-data"
    """Folder of the journal, the store and the control socket; made when it is not there. Relative
    paths, here and below, count from the folder of this file."""
    lanes: Annotated[int, Meta(ge=1, le=64)] = 1
    """Processes that share the work, for a machine with as many cores. A device, by its source
    addresses, is always in the same one, which has its own journal and store in the data folder.
    Limits of memory and sockets hold for each of them, those of the disk for all together. With
    another number than at the last start most devices are learned anew, as after a first start;
    what is stored stays in all queries."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """How much is logged to standard error."""


class JournalSettings(Struct, frozen=True, kw_only=True):
    """The journal: everything received, before anything is concluded from it."""

    segment_seconds: Annotated[float, Meta(ge=0.1, le=3600)] = 5.0
    """Seconds after which a journal file is sealed and its rows go into the store."""
    segment_bytes: Annotated[int, Meta(ge=65536, le=4 * 2**30)] = 64 * 2**20
    """Bytes after which a journal file is sealed."""
    commit_interval_ms: Annotated[int, Meta(ge=1, le=10_000)] = 20
    """Milliseconds between group commits: what a power failure can cost at most. They come sooner
    while a publisher waits for its answer."""
    commit_bytes: Annotated[int, Meta(ge=4096, le=2**30)] = 2**20
    """Bytes after which a group commit comes early."""
    snapshot_seconds: Annotated[float, Meta(ge=1, le=3600)] = 15.0
    """Seconds between snapshots of what is being judged; a restart reads the journal from the last
    one on."""
    retention_seconds: Retention = 86_400
    """Seconds that sealed journal files are kept for replay; 0 keeps them for ever."""
    retention_bytes: Retention = 10 * 2**30
    """Bytes of journal that are kept; the oldest files go first; 0 means no limit."""
    min_free_bytes: Retention = 512 * 2**20
    """Free bytes on the file system below which nothing more is taken, until there is room."""


class StoreSettings(Struct, frozen=True, kw_only=True):
    """The store: Parquet files that `collector query` and `collector verdicts` read."""

    retention_seconds: Retention = 30 * 86_400
    """Seconds that rows are kept; 0 keeps them for ever."""
    retention_bytes: Retention = 50 * 2**30
    """Bytes of Parquet that are kept; the oldest files go first; 0 means no limit."""
    compact: bool = True
    """Whether small files are merged in the background; many small files make queries slow."""
    leaves: bool = False
    """Whether the contents of all updates are stored leaf by leaf, too, as the table leaves: path
    with list keys, type, value; see [schema]. A leaf costs about 6 microseconds of CPU and 7 bytes
    of the store. A [[subscription]] can ask for itself alone; without either, `collector query
    --leaves` finds them when it is asked."""


class MetricsSettings(Struct, frozen=True, kw_only=True):
    """Prometheus metrics and the health page."""

    enabled: bool = True
    """Whether /metrics and /healthz are served."""
    address: Text = "127.0.0.1"
    """Address to serve on; the pages need no password, so leave it on a loopback address or
    protect it."""
    port: BindPort = 9464
    """TCP port; 0 lets the system choose."""


class AlertSettings(Struct, frozen=True, kw_only=True):
    """What is said when a line card falls silent or comes back."""

    log: bool = True
    """Whether alerts go to the log."""
    file: Text | None = None
    """File that gets one JSON object a line; made anew where it was moved away, as logs are."""
    command: tuple[Text, ...] = ()
    """Program with its arguments, started for each alert without a shell; the alert is on its
    standard input as JSON. Of the environment it sees PATH, HOME, USER, the language and the time
    zone, so that no password is in it."""
    webhook: Text | None = None
    """URL that each alert is posted to as JSON; https, or http to a loopback address."""
    timeout_seconds: Timeout = 10.0
    """Seconds that the command or the webhook may take."""
    max_queued: Annotated[int, Meta(ge=1, le=100_000)] = 1000
    """Alerts that may wait for the command or the webhook; more are dropped and counted."""


class VerdictSettings(Struct, frozen=True, kw_only=True):
    """How periods are judged."""

    grace_seconds: Annotated[float, Meta(gt=0, le=86_400)] | None = None
    """Seconds to wait after the expected arrival before a period is judged. Without it: half a
    period within 0.2 and 5 s, at least a twentieth of the period."""
    forget_after_seconds: Annotated[int, Meta(ge=1, le=366 * 86_400)] = 86_400
    """Seconds after which a generator that was only learned, never declared, is no longer
    expected when it stays away."""
    coverage_sample: Annotated[float, Meta(ge=0, le=1)] = 0.02
    """Part of the periods of a subscription whose contents are looked into: whether two generators
    send the same node, and whether a node is gone. Rounded to one period in so many; 0 never, 1
    always, which costs a good part of the throughput."""


class CrossCheckSettings(Struct, frozen=True, kw_only=True):
    """Devices are asked how they see their subscriptions: differences are events. In force as soon
    as the configuration was read again."""

    interval_seconds: Annotated[float, Meta(ge=0, le=7 * 86_400)] = 300
    """Seconds between two looks at a device with a session, spread over the devices: list of
    generators, records sent to each receiver, states. 0 never asks."""


class SchemaSettings(Struct, frozen=True, kw_only=True):
    """What is known of the data: YANG modules and the numbers of their nodes. Read at the start and
    when the configuration is read again."""

    folder: Text | None = None
    """Folder of the YANG modules of the devices, with all that they import; `collector yang fetch`
    asks a device for its own. Without it leaves have no types but what their encoding shows, and
    the keys of lists are guessed."""
    sid_folder: Text | None = None
    """Folder of .sid files (RFC 9595). Without it CBOR messages that name their wrapper by numbers
    are refused (unknown-sid)."""


class DeviceSettings(Struct, frozen=True, kw_only=True):
    """One publisher: a name and the addresses that its line cards send from."""

    name: Name
    """Name of the device in verdicts, alerts and metrics; must be unique."""
    sources: tuple[Text, ...] = ()
    """Source addresses of its messages, those of the line cards included. Without any, the
    address of netconf.host; a name is looked up at the start, and each minute until it is known."""
    certificates: tuple[Text, ...] = ()
    """Names in the client certificates that it shows over TLS or DTLS (its DNS name, URI or
    address, else its common name); then it may send from any address."""
    strict: bool = False
    """Whether unknown UDP-notif options are discarded, as the draft says, instead of kept and
    counted."""
    quirks: tuple[QuirkName, ...] = ()
    """What it does otherwise than the drafts say, as far as it has to be told:
    "last-flag-in-top-bit" (segmentation option as Arrcus writes it), "unknown-options" (keeps such
    messages, which is the default), "ids-per-publisher" or "ids-per-subscription" (what Message IDs
    count, which otherwise is found out), "old-media-types" (0 is CBOR, as up to udp-notif-03),
    "several-messages" (in one datagram), "legacy-header" (version 0 is always that of
    udp-pub-channel). `collector status` says which one is needed."""
    netconf: NetconfSettings | None = None
    schema_folder: Text | None = None
    """Folder of its YANG modules, instead of that of [schema]; `collector yang fetch` fills one."""
    sid_folder: Text | None = None
    """Folder of its .sid files, instead of that of [schema]."""
    generators: dict[str, Name] = {}
    """Message Publisher ID of the header, or source address -> name of the generator, where the
    device gives none."""


class Config(Struct, frozen=True, kw_only=True):
    """The whole configuration, checked."""

    collector: CollectorSettings = CollectorSettings()
    udp_notif: UdpNotifSettings = UdpNotifSettings()
    dtls: DtlsSettings = DtlsSettings()
    https_notif: HttpsNotifSettings = HttpsNotifSettings()
    grpc_dialout: GrpcDialoutSettings = GrpcDialoutSettings()
    sessions: SessionsSettings = SessionsSettings()
    call_home: CallHomeSettings = CallHomeSettings()
    reassembly: ReassemblySettings = ReassemblySettings()
    journal: JournalSettings = JournalSettings()
    store: StoreSettings = StoreSettings()
    metrics: MetricsSettings = MetricsSettings()
    alerts: AlertSettings = AlertSettings()
    verdicts: VerdictSettings = VerdictSettings()
    cross_check: CrossCheckSettings = CrossCheckSettings()
    schema: SchemaSettings = SchemaSettings()
    devices: tuple[DeviceSettings, ...] = field(default=(), name="device")
    subscriptions: tuple[SubscriptionSettings, ...] = field(default=(), name="subscription")
    receiver_instances: tuple[ReceiverInstanceSettings, ...] = field(
        default=(), name="receiver_instance"
    )
    known_subscriptions: tuple[KnownSubscriptionSettings, ...] = field(
        default=(), name="known_subscription"
    )
    receivers: dict[str, dict[str, Any]] = field(default_factory=dict, name="receiver")
    """Receiver of another package -> its keys as they are in the file; ``sections`` reads them."""
    sinks: dict[str, dict[str, Any]] = field(default_factory=dict, name="sink")
    """Sink -> its keys, likewise."""
