"""The one door: everything that came of a publisher in, a report out.

Does: give each thing to the rules that look at its kind. Does not: read files, know a rule.
Rules: bounded: ``DEVICES`` devices, ``PERIODS`` periods that may still be amended.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Collection
from typing import Any, Final

from msgspec.structs import replace

from collector.conformance.books import DeviceBooks
from collector.conformance.catalogue import RULES
from collector.conformance.report import DeviceReport, Report, Tally
from collector.conformance.subjects import (
    DatagramSubject,
    EventSubject,
    PeriodSubject,
)
from collector.interfaces import Said
from collector.model import (
    Cause,
    Event,
    NotificationKind,
    Observed,
    ObservedDatagram,
    ObservedHalfBuilt,
    ObservedMessage,
    ObservedRefusal,
    Origin,
    Outcome,
    Provenance,
    SubscriptionRow,
    Transport,
    Verdict,
)

DEVICES: Final = 256
PERIODS: Final = 65_536
"""Bounds (ours)."""
_JUDGED: Final = frozenset({Outcome.COMPLETE, Outcome.DEGRADED, Outcome.INCOMPLETE})
_NOTICED: Final = frozenset(("overlap", "node_gone", "id_differs"))


class _Device:
    """One device: its books, its report, its rules by what they look at."""

    def __init__(self, name: str) -> None:
        self.books = DeviceBooks()
        self.report = DeviceReport(name, RULES)
        self.replies: dict[tuple[int, int], None] = {}
        self.could: Counter[str] = Counter()
        """Kind of event -> how often it could have been noticed, minus how often it was."""
        self._by_subject: dict[type[Any], list[Tally]] = {}
        for tally in self.report.tallies:
            self._by_subject.setdefault(tally.rule.subject, []).append(tally)

    def noticed(self, kind: str, text: str, time: int, where: str = "") -> None:
        self.could[kind] -= 1
        self.judge(EventSubject(kind, text), time, where)

    def judge(self, subject: object, time: int = 0, where: str = "") -> None:
        for tally in self._by_subject.get(type(subject), ()):
            tally.add(tally.rule.check(subject), time, where)


class Inspector:
    """Gathers what rules say."""

    def __init__(
        self, devices: Collection[str] = (), *, max_segment_size: int | None = None
    ) -> None:
        """
        Args:
            devices: names or source addresses that are looked at; empty: all.
            max_segment_size: what publishers are configured with, octets.
        """
        self._wanted = frozenset(devices)
        self._max_segment_size = max_segment_size
        self._devices: dict[str, _Device] = {}
        self._periods: OrderedDict[tuple[str, int, int], Verdict] = OrderedDict()
        self._waiting: list[Observed] = []
        """What came since the engine spoke last; a batch at most."""
        self._left_out = 0

    # ------------------------------------------------------------------ what came
    def observe(self, one: Observed) -> None:
        """Something came; it is looked at once the engine has said what it says of the batch."""
        self._waiting.append(one)

    def _look_at(self, one: Observed) -> None:
        device = self._device(one.origin.device, one.origin.source)
        if device is None:
            return
        if isinstance(one, ObservedRefusal):
            if not device.report.datagrams:  # else it was looked at by itself
                text = one.note.detail or one.note.reason
                device.judge(EventSubject("refused", text), one.arrival, _source(one.origin))
            return
        if isinstance(one, ObservedHalfBuilt):
            return
        if isinstance(one, ObservedDatagram):
            device.report.datagrams += 1
            subject = DatagramSubject(one, self._max_segment_size)
            device.judge(subject, one.arrival, _source(one.origin))
            return
        device.report.messages += 1
        if one.transport == Transport.GRPC_DIALOUT:
            device.report.dialout += 1
            return
        device.judge(device.books.take(one), one.arrival, _where(one))
        for place, said in enumerate(() if one.said is None else one.said.bundled, 1):
            part = replace(one, said=said, publisher_id=None, message_id=None)
            device.judge(device.books.take(part, place), one.arrival, _where(one))
        for over in device.books.finished():
            device.judge(over)
        if one.said is not None and one.said.kind is NotificationKind.SUBSCRIPTION_STARTED:
            device.could["id_differs"] += 1
        if one.transport == Transport.UDP_NOTIF and not device.report.datagrams:
            device.could["refused"] += 1

    def receive(self, said: Said) -> None:
        """What the engine said about what came since the last time."""
        waiting, self._waiting = self._waiting, []
        rows = deque(sorted(said.subscriptions, key=lambda row: row.time))
        for one in waiting:
            while rows and rows[0].time <= one.arrival:
                self._told(rows.popleft())
            self._look_at(one)
        for row in rows:
            self._told(row)
        for event in said.events:
            self._noticed(event)
        for verdict in said.verdicts:
            if self._device(verdict.device) is None:
                continue
            key = verdict.device, verdict.revision, verdict.period_index
            self._periods[key] = verdict
            if len(self._periods) > PERIODS:
                self._judge_period(self._periods.popitem(last=False)[1])

    def finish(self) -> Report:
        """Nothing more comes."""
        for one in self._waiting:
            self._look_at(one)
        self._waiting = []
        while self._periods:
            self._judge_period(self._periods.popitem(last=False)[1])
        for device in self._devices.values():
            for subject in device.books.finish():
                device.judge(subject)
            for kind, times in device.could.items():
                for _ in range(times):
                    device.judge(EventSubject(kind, ""))
        reports = [one.report for one in self._devices.values()]
        return Report(
            tuple(one for one in reports if one.messages or one.datagrams), self._left_out
        )

    # ------------------------------------------------------------------ engine
    def _told(self, row: SubscriptionRow) -> None:
        device = self._device(row.device)
        if device is None:
            return
        device.books.told(row)
        key = row.id, row.revision
        if row.origin != "dynamic" or row.state != "active" or key in device.replies:
            return
        device.replies[key] = None
        if row.provenance is not Provenance.CONFIGURED:  # else the reply's list is not known here
            text = f"that for subscription {row.id} named nobody"
            listed = row.provenance is Provenance.DECLARED
            device.judge(EventSubject("reply", "" if listed else text), row.time)

    def _noticed(self, event: Event) -> None:
        if event.kind in _NOTICED and (device := self._device(event.device)) is not None:
            device.noticed(event.kind, event.text, event.time, event.subject)

    def _judge_period(self, last: Verdict) -> None:
        device = self._device(last.device)
        if device is None or last.outcome not in _JUDGED:
            return
        silent = tuple(one.generator for one in last.missing if one.cause is Cause.SILENT)
        provenance = "" if last.provenance is None else last.provenance.value
        subject = PeriodSubject(
            last.subscription_id, last.nominal_time, provenance, last.received, silent
        )
        device.judge(subject, last.nominal_time, f"subscription {last.subscription_id}")
        if len(last.received) > 1:
            device.could["overlap"] += 1
            device.could["node_gone"] += 1

    # ------------------------------------------------------------------ devices
    def _device(self, name: str, source: str = "") -> _Device | None:
        found = self._devices.get(name)
        if found is not None:
            return found
        if not name or (self._wanted and not self._wanted & {name, source}):
            self._left_out += not name
            return None
        if len(self._devices) >= DEVICES:
            self._left_out += 1
            return None
        found = self._devices[name] = _Device(name)
        return found


def _source(origin: Origin) -> str:
    return f"{origin.source} port {origin.source_port}"


def _where(one: ObservedMessage) -> str:
    if one.publisher_id is None:
        return _source(one.origin)
    return f"{_source(one.origin)}, publisher id {one.publisher_id}, Message ID {one.message_id}"
