"""Every metric: name, labels and help text, once; and the plain numbers behind them.

Does: hold counts that hot code raises as plain integers (below 0.1 us) and describe them. Does not:
know Prometheus (``sinks.prometheus`` shows them), a clock, or a lock: one thread counts.
Rules: each refused or lost thing is counted once, where it happens, under a short fixed reason
word. Labels are bounded: past ``LABELS_KEPT`` sets of labels of one metric the rest is counted
under ``other``. Names carry their unit; seconds and bytes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

PREFIX = "yang_push_"
LABELS_KEPT = 20_000
"""Sets of labels of one metric (ours): a thousand devices of twenty line cards."""
OTHER = "other"
"""Label value of everything past the limit."""


class Counts:
    """Whole numbers by label values, bounded."""

    __slots__ = ("_limit", "_values")

    def __init__(self, limit: int = LABELS_KEPT) -> None:
        self._values: dict[tuple[str, ...], int] = {}
        self._limit = limit

    def add(self, labels: tuple[str, ...], number: int = 1) -> None:
        """Raise one number."""
        try:
            self._values[labels] += number
        except KeyError:
            if len(self._values) >= self._limit:
                labels = (OTHER,) * len(labels)
                number += self._values.get(labels, 0)
            self._values[labels] = number

    def set(self, labels: tuple[str, ...], number: int) -> None:
        """Put one number, for gauges."""
        if labels in self._values or len(self._values) < self._limit:
            self._values[labels] = number

    def __getitem__(self, labels: tuple[str, ...]) -> int:
        return self._values.get(labels, 0)

    def __len__(self) -> int:
        return len(self._values)

    def items(self) -> list[tuple[tuple[str, ...], int]]:
        """A copy that later counting does not change."""
        return list(self._values.items())

    def total(self) -> int:
        """Sum over all labels."""
        return sum(self._values.values())

    def clear(self) -> None:
        """Forget everything, for gauges that are written anew."""
        self._values.clear()


class Distribution:
    """A histogram: counts by upper bound, and the sum."""

    __slots__ = ("_counts", "bounds", "sum")

    def __init__(self, bounds: Iterable[float]) -> None:
        self.bounds = tuple(bounds)
        """Upper bounds, rising, without infinity."""
        self._counts = [0] * (len(self.bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float, number: int = 1) -> None:
        """Count ``value`` ``number`` times."""
        self._counts[bisect_left(self.bounds, value)] += number
        self.sum += value * number

    def fill(self, total: float, counts: Sequence[int]) -> None:
        """Take over the sum and the counts of another one with the same bounds."""
        self.sum, self._counts = total, list(counts)

    @property
    def counts(self) -> list[int]:
        """Values in each bucket, the last one without an upper bound."""
        return list(self._counts)

    @property
    def count(self) -> int:
        """Values seen."""
        return sum(self._counts)

    def cumulated(self) -> Iterator[tuple[str, int]]:
        """(upper bound as text, values up to it), the last one ``+Inf``."""
        below = 0
        for bound, number in zip((*map(str, self.bounds), "+Inf"), self._counts, strict=True):
            below += number
            yield bound, below


class Metric(Struct, frozen=True):
    """What a metric is called and what it says."""

    attribute: str
    """Its place in ``Counters``."""
    kind: str
    """``counter``, ``gauge`` or ``histogram``."""
    help: str
    labels: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The full name, with ``_total`` for a counter."""
        return PREFIX + self.attribute + ("_total" if self.kind == "counter" else "")


METRICS = (
    Metric("datagrams_received", "counter", "Datagrams taken from the socket."),
    Metric("bytes_received", "counter", "Octets of these datagrams."),
    Metric("datagrams_rejected", "counter", "Datagrams refused, by reason.", ("reason",)),
    Metric("segments_discarded", "counter", "Segments thrown away, by reason.", ("reason",)),
    Metric("options_unknown", "counter", "Unknown UDP-notif options of kept messages.", ("type",)),
    Metric(
        "quirks_needed",
        "counter",
        "Datagrams (for ids-per-subscription: publisher ids) that only a switch of the device's "
        "quirks reads right; state=unset: it is not set.",
        ("device", "quirk", "state"),
    ),
    Metric("media_types_unknown", "counter", "Messages of an encoding that is not known here."),
    Metric(
        "records_left_out",
        "counter",
        "Refused datagrams and half-built messages counted only: too many in a second.",
        ("kind",),
    ),
    Metric("messages_received", "counter", "Whole messages, by receiver.", ("receiver",)),
    Metric("messages_rejected", "counter", "Messages whose payload was refused.", ("reason",)),
    Metric("connections", "gauge", "Open connections or sessions of publishers.", ("receiver",)),
    Metric(
        "connections_refused",
        "counter",
        "Connections of publishers that were refused or given up, by reason.",
        ("receiver", "reason"),
    ),
    Metric("answers", "counter", "Answers to publishers, by status.", ("receiver", "status")),
    Metric(
        "certificate_expiry_seconds",
        "gauge",
        "When the certificate that a receiver shows expires, seconds since 1970.",
        ("receiver",),
    ),
    Metric(
        "contents_left_out",
        "counter",
        "Updates of sampled periods whose contents were not compared, by reason.",
        ("reason",),
    ),
    Metric(
        "leaves_left_out",
        "counter",
        "Updates of which leaves are missing in the store, by reason.",
        ("reason",),
    ),
    Metric(
        "patches",
        "counter",
        "What patch-ids of push-change-updates showed: gap, missing (patches), late, duplicate, "
        "repeated, restart, not-counted, incomplete, forgotten.",
        ("event",),
    ),
    Metric(
        "patches_unread",
        "counter",
        "Push-change-updates whose edits could not be read, by reason.",
        ("reason",),
    ),
    Metric(
        "messages_lost",
        "counter",
        "Messages lost, at the least: one for each period of a generator that ended with a loss.",
        ("device", "generator"),
    ),
    Metric(
        "queue_dropped",
        "counter",
        "What a full queue dropped; queue=kernel is the socket buffer, followers those who follow, "
        "sessions what NETCONF sessions held when they were closed.",
        ("queue",),
    ),
    Metric("unknown_sources", "gauge", "Source addresses that belong to no device."),
    Metric("unknown_source_messages", "counter", "Messages of sources that belong to no device."),
    Metric("updates", "counter", "Updates, by what became of them.", ("device", "outcome")),
    Metric(
        "limits_reached",
        "counter",
        "What a full table of the judgement refused or forgot, by table.",
        ("device", "limit"),
    ),
    Metric("duplicates", "counter", "Messages that came twice and counted once."),
    Metric("periods", "counter", "Periods judged, by first outcome.", ("device", "outcome")),
    Metric("amendments", "counter", "Verdicts amended later.", ("device",)),
    Metric("generators_missing", "gauge", "Generators missing in the newest verdict.", ("device",)),
    Metric("events", "counter", "Events, by kind.", ("device", "kind")),
    Metric(
        "generators_not_declared",
        "gauge",
        "Generators that are expected by the configuration and not declared by the device.",
        ("device", "subscription"),
    ),
    Metric(
        "generators_unannounced",
        "gauge",
        "Generators that send and are not on the list that the device declared.",
        ("device", "subscription"),
    ),
    Metric(
        "generators_out_of_sync",
        "gauge",
        "Generators of on-change subscriptions of which changes may be lost.",
        ("device",),
    ),
    Metric(
        "publisher_lag_seconds",
        "histogram",
        "Arrival minus the publisher's time, of the last update of each batch.",
    ),
    Metric("period_close_delay_seconds", "histogram", "Verdict minus the tick of its period."),
    Metric("sessions_up", "gauge", "Whether the management session is up.", ("device",)),
    Metric(
        "subscriptions",
        "gauge",
        "Dynamic subscriptions that are wanted, by state: active, refused, suspended, ...",
        ("device", "state"),
    ),
    Metric(
        "session_failures",
        "counter",
        "Management sessions that could not be made or were lost, by reason.",
        ("device", "reason"),
    ),
    Metric(
        "requests_refused",
        "counter",
        "Requests that a device refused (rpc-error), or whose reply could not be used, by reason.",
        ("device", "reason"),
    ),
    Metric(
        "cross_checks",
        "counter",
        "Looks into /subscriptions of devices: ok, nothing (to see), refused, or why none came.",
        ("result",),
    ),
    Metric("event_loop_tasks", "gauge", "Tasks that the process runs beside each other."),
    Metric("journal_bytes", "gauge", "Octets of the journal on disk."),
    Metric("journal_records", "counter", "Records taken into the journal."),
    Metric("intake_refused", "counter", "Batches not taken since the disk was full."),
    Metric("sink_rows_written", "counter", "Rows written.", ("sink",)),
    Metric("sink_errors", "counter", "Failed writes of rows.", ("sink", "retryable")),
    Metric("alerts", "counter", "Alerts, by what became of them.", ("channel", "result")),
)
"""The whole list, in the order of the page."""

LANE_METRICS = (
    Metric("lane_up", "gauge", "Whether the process of a lane answers.", ("lane",)),
    Metric("lane_restarts", "counter", "Times that a lane was started again.", ("lane",)),
)
"""What only a supervisor of several lanes shows; the others then carry the label ``lane`` too."""

LAG_BOUNDS = (0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
CLOSE_BOUNDS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)


class Counters:
    """The numbers behind ``METRICS``, one attribute each: ``int``, ``Counts``, ``Distribution``."""

    def __init__(self) -> None:
        self.datagrams_received = 0
        self.bytes_received = 0
        self.datagrams_rejected = Counts()
        self.segments_discarded = Counts()
        self.options_unknown = Counts()
        self.quirks_needed = Counts()
        self.media_types_unknown = 0
        self.records_left_out = Counts()
        self.messages_received = Counts()
        self.messages_rejected = Counts()
        self.connections = Counts()
        self.connections_refused = Counts()
        self.answers = Counts()
        self.certificate_expiry_seconds = Counts()
        self.contents_left_out = Counts()
        self.leaves_left_out = Counts()
        self.patches = Counts()
        self.patches_unread = Counts()
        self.messages_lost = Counts()
        self.queue_dropped = Counts()
        self.unknown_sources = 0
        self.unknown_source_messages = 0
        self.updates = Counts()
        self.limits_reached = Counts()
        self.duplicates = 0
        self.periods = Counts()
        self.amendments = Counts()
        self.generators_missing = Counts()
        self.events = Counts()
        self.generators_not_declared = Counts()
        self.generators_unannounced = Counts()
        self.generators_out_of_sync = Counts()
        self.publisher_lag_seconds = Distribution(LAG_BOUNDS)
        self.period_close_delay_seconds = Distribution(CLOSE_BOUNDS)
        self.sessions_up = Counts()
        self.subscriptions = Counts()
        self.session_failures = Counts()
        self.requests_refused = Counts()
        self.cross_checks = Counts()
        self.event_loop_tasks = 0
        self.journal_bytes = 0
        self.journal_records = 0
        self.intake_refused = 0
        self.sink_rows_written = Counts()
        self.sink_errors = Counts()
        self.alerts = Counts()


class LaneCounters:
    """The numbers behind ``LANE_METRICS``."""

    def __init__(self) -> None:
        self.lane_up = Counts()
        self.lane_restarts = Counts()


# --------------------------------------------------------------------------- between processes
def counters_to_plain(counters: Counters) -> dict[str, Any]:
    """Plain values: attribute -> number, [[labels, number], ..] or [sum, counts by bucket]."""
    plain: dict[str, Any] = {}
    for metric in METRICS:
        value = getattr(counters, metric.attribute)
        if isinstance(value, Counts):
            plain[metric.attribute] = value.items()
        elif isinstance(value, Distribution):
            plain[metric.attribute] = [value.sum, value.counts]
        else:
            plain[metric.attribute] = value
    return plain


def counters_from_plain(plain: Mapping[str, Any]) -> Counters:
    """The other direction; what is not there, or has another form, stays at zero."""
    counters = Counters()
    for metric in METRICS:
        value, given = getattr(counters, metric.attribute), plain.get(metric.attribute)
        if isinstance(value, Counts) and isinstance(given, list):
            for labels, number in given:
                value.set(tuple(labels), number)
        elif isinstance(value, Distribution) and isinstance(given, list):
            value.fill(*given)
        elif isinstance(value, int) and isinstance(given, int):
            setattr(counters, metric.attribute, given)
    return counters
