"""Datagrams -> ``ReceivedBatch``: the part of the UDP-notif receiver that needs no socket.

Does: check headers in columns, copy whole messages into a batch, put segments together, turn what
is refused or half built into records, count everything once. Does not: read a socket or a clock:
the receiver and the replay of captures drive it with their own, through the same code.

Rules: rows keep the order of arrival; a message that came in segments stands where its last
missing segment came. A refused datagram becomes a REJECTED record while there are no more than
``rejected_per_second`` of them in the current second, a half-built message an UNREASSEMBLED one
while there are no more than ``half_built_per_second``; both are counted always. The ids of a
refused datagram are kept only when the fixed header is sound, that is when an option was at fault.

Spec: draft-ietf-netconf-udp-notif-26 §3.2, §4.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Set
from itertools import chain
from typing import Final

import msgspec
import numpy as np

from collector.core.reassembly import Reassembly
from collector.core.segments import (
    Assembled,
    Fact,
    HalfBuilt,
    ReassemblyLimits,
    Runs,
    SegmentReceived,
)
from collector.errors import WireError
from collector.model import (
    FLAG_IDS,
    FLAG_PRIVATE,
    SECOND,
    Coded,
    CollectorTime,
    ReceivedBatch,
    RecordKind,
    RejectedNote,
    Transport,
    UnreassembledNote,
)
from collector.receivers.counters import ReceiveCounters
from collector.receivers.joining import extend
from collector.receivers.runs import KNOWN_MEDIA_TYPES, Arrived
from collector.receivers.slab import DatagramSlab
from collector.wire.udp_notif import VERSION, decode_header, decode_options

_UDP: Final = int(Transport.UDP_NOTIF)
_DATA: Final = int(RecordKind.DATA)
_SOUND_HEADER: Final = frozenset({"bad-option", "bad-segmentation", "unknown-option"})
"""Reasons of refusal that leave the ids in the header believable."""
_encode_json = msgspec.json.Encoder().encode

Datagram = tuple[int, str, int, bytes]
"""Arrival (CollectorTime, ns), source address, source port, UDP payload."""


class DatagramBatcher:
    """Turns slabs of datagrams into batches of records. Not for use by two threads at once."""

    def __init__(
        self,
        limits: ReassemblyLimits | None = None,
        *,
        strict_sources: Set[str] = frozenset(),
        rejected_per_second: int = 100,
        half_built_per_second: int = 1000,
    ) -> None:
        """
        Args:
            limits: of reassembly.
            strict_sources: source addresses from which unknown options are refused.
            rejected_per_second: REJECTED records at most in one second of arrivals.
            half_built_per_second: UNREASSEMBLED records at most, likewise; a flood of invented
                segments pushes out as many messages.
        """
        self._reassembly = Reassembly(limits)
        self._shortest_notice = (limits or ReassemblyLimits()).notice
        self._strict_sources = strict_sources
        self._rejected_allowance = _Allowance(rejected_per_second)
        self._half_built_allowance = _Allowance(half_built_per_second)
        self.counters = ReceiveCounters()

    def stats(self) -> dict[str, int]:
        """All counters under fixed words; ``rejected/R`` and ``discarded/R`` by reason R."""
        discarded = {f"discarded/{word}": count for word, count in self.discarded.items()}
        return self.counters.stats() | discarded

    @property
    def discarded(self) -> dict[str, int]:
        """Segments discarded by reassembly, by reason."""
        return self._reassembly.discarded

    # ----------------------------------------------------------------- driven by a receiver
    def receive(
        self,
        slab: DatagramSlab,
        arrivals: array[int],
        peers: Coded[str],
        ports: array[int],
    ) -> ReceivedBatch:
        """Take the first ``len(arrivals)`` datagrams of ``slab``, in order of arrival.

        No timer may be due within the batch: call ``handle_timer`` before it. The batch keeps the
        columns that are given here.
        """
        octets = slab.lengths[: len(arrivals)]
        self.counters.datagrams += len(arrivals)
        self.counters.octets += int(octets.sum())
        arrived = Arrived(slab, arrivals, peers, ports)
        self._count(arrived)
        rows = arrived.rows()
        if not len(arrived.loose) and not len(arrived.run_groups):
            return rows
        return self._put_together(arrived, rows, slab)

    def next_deadline(self) -> CollectorTime | None:
        """When ``handle_timer`` is due, or None."""
        return self._reassembly.next_deadline()

    def handle_timer(self, now: int) -> ReceivedBatch:
        """Records of what is still half built; messages that wait must be received first."""
        batch = ReceivedBatch()
        self._append_facts(batch, self._reassembly.handle_timer(now), now)
        return batch

    def stop(self, now: int) -> ReceivedBatch:
        """Give up what is half built; returns its records."""
        batch = ReceivedBatch()
        self._append_facts(batch, self._reassembly.stop(), now)
        return batch

    # ----------------------------------------------------------------- driven by a capture
    def receive_datagrams(
        self, datagrams: Iterable[Datagram], slab: DatagramSlab | None = None
    ) -> Iterator[ReceivedBatch]:
        """Take datagrams that carry their arrival times, timers run in between as they fall due.

        An arrival before the one ahead of it counts as simultaneous with that. Call ``stop``, or
        ``handle_timer`` with later times, at the end.
        """
        slab = slab or DatagramSlab(256)
        arrivals, peers, ports = array("q"), Coded[str](), array("H")
        now = horizon = 0
        for arrival, source, port, payload in datagrams:
            now = max(now, arrival)
            if arrivals and (now >= horizon or len(arrivals) == len(slab)):
                yield self.receive(slab, arrivals, peers, ports)
                arrivals, peers, ports = array("q"), Coded[str](), array("H")
            if not arrivals:
                yield from self._timers_due(now)
                # no deadline that the rows to come can set lies before this
                deadline = self.next_deadline()
                horizon = now + self._shortest_notice
                horizon = horizon if deadline is None else min(horizon, deadline)
            slab.put(len(arrivals), payload)
            arrivals.append(now)
            peers.append(source)
            ports.append(port)
        if arrivals:
            yield self.receive(slab, arrivals, peers, ports)

    def _timers_due(self, now: int) -> Iterator[ReceivedBatch]:
        """Run each timer at its own time."""
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            batch = self.handle_timer(deadline)
            if len(batch):
                yield batch

    # ----------------------------------------------------------------- rows
    def _put_together(
        self, arrived: Arrived, rows: ReceivedBatch, slab: DatagramSlab
    ) -> ReceivedBatch:
        """Messages as they are, runs where reassembly takes them, the rest one by one."""
        batch, done, taken = ReceivedBatch(), 0, 0
        runs, run_groups = arrived.runs(), arrived.run_groups.tolist()
        loose = arrived.firsts(arrived.loose)
        odd = zip(arrived.loose.tolist(), loose.tolist(), arrived.segments(loose), strict=True)
        for group, row, segment in chain(odd, [(len(rows), 0, None)]):
            ahead = bisect_left(run_groups, group, taken)
            while taken < ahead:
                first, taken = taken, self._reassembly.receive_runs(runs, taken, ahead)
                self._count_runs(arrived, runs, first, taken)
                if first == taken:
                    extend(batch, rows, done, run_groups[taken])
                    done = run_groups[taken] + 1
                    parts = np.arange(runs.starts[taken], runs.ends[taken])
                    for at, part in zip(parts.tolist(), arrived.segments(parts), strict=True):
                        self._receive_row(batch, arrived, slab, at, part)
                    taken += 1
            if group == len(rows) and not done:
                return rows  # nothing is to be left out
            extend(batch, rows, done, group)
            done = group + 1
            if group < len(rows):
                self._receive_row(batch, arrived, slab, row, segment)
        return batch

    def _receive_row(
        self,
        batch: ReceivedBatch,
        arrived: Arrived,
        slab: DatagramSlab,
        row: int,
        segment: SegmentReceived | None,
    ) -> None:
        """One datagram on its own, a segment if it is one."""
        if segment is not None:
            self._receive_segment(batch, segment, arrived.arrivals[row])
        else:
            peer, port = arrived.sender(row)
            self._receive_one(batch, slab.datagram(row), arrived.arrivals[row], peer, port)

    def _count(self, arrived: Arrived) -> None:
        """Messages that came in a datagram."""
        self.counters.messages += int(np.count_nonzero(arrived.whole))
        unknown = np.count_nonzero(arrived.whole & arrived.unknown)
        self.counters.unknown_media_types += int(unknown)

    def _count_runs(self, arrived: Arrived, runs: Runs, start: int, end: int) -> None:
        """Messages that were taken."""
        self.counters.messages += end - start
        self.counters.segments += sum(runs.ends[start:end]) - sum(runs.starts[start:end])
        unknown = np.count_nonzero(arrived.unknown[runs.starts[start:end]])
        self.counters.unknown_media_types += int(unknown)

    def _receive_one(
        self, batch: ReceivedBatch, datagram: bytes, arrival: int, peer: str, port: int
    ) -> None:
        """A datagram with options, or one to be refused."""
        try:
            header = decode_header(datagram, strict=peer in self._strict_sources)
        except WireError as error:
            self._reject(batch, error, datagram, arrival, peer, port)
            return
        payload = datagram[header.header_length :]
        if header.segment is None:
            message = Assembled(
                peer,
                port,
                header.publisher_id,
                header.message_id,
                datagram[0],
                1,
                header.options,
                payload,
                CollectorTime(arrival),
            )
            self._append_facts(batch, [message], arrival)
            return
        segment = SegmentReceived(
            peer,
            port,
            header.publisher_id,
            header.message_id,
            datagram[0],
            header.segment.number,
            header.segment.last,
            header.options,
            payload,
        )
        self._receive_segment(batch, segment, arrival)

    def _receive_segment(
        self, batch: ReceivedBatch, segment: SegmentReceived, arrival: int
    ) -> None:
        self.counters.segments += 1
        facts = self._reassembly.receive(segment, arrival)
        if facts:
            self._append_facts(batch, facts, arrival)

    def _append_facts(self, batch: ReceivedBatch, facts: list[Fact], now: int) -> None:
        for fact in facts:
            if isinstance(fact, Assembled):
                self._append_message(batch, fact, now)
            else:
                self._append_half_built(batch, fact, now)

    def _append_message(self, batch: ReceivedBatch, message: Assembled, now: int) -> None:
        private, media_type = bool(message.form & 0x10), message.form & 0x0F
        self.counters.messages += 1
        for option in decode_options(message.options):
            unknown = self.counters.unknown_options
            unknown[option.type] = unknown.get(option.type, 0) + 1
        self.counters.unknown_media_types += private or media_type not in KNOWN_MEDIA_TYPES
        batch.append(
            now,
            _DATA,
            message.payload,
            transport=_UDP,
            peer=message.source,
            port=message.port,
            version=message.form >> 5,
            flags=FLAG_IDS | (FLAG_PRIVATE if private else 0),
            media_type=media_type,
            publisher_id=message.publisher_id,
            message_id=message.message_id,
            segments=message.segments,
            options=message.options,
        )

    def _append_half_built(self, batch: ReceivedBatch, fact: HalfBuilt, now: int) -> None:
        self.counters.half_built += 1
        if not self._half_built_allowance.take(now):
            self.counters.half_built_unrecorded += 1
            return
        note = UnreassembledNote(fact.first_arrival, fact.segments_had, fact.segments_total)
        batch.append(
            now,
            RecordKind.UNREASSEMBLED,
            _encode_json(note),
            transport=_UDP,
            peer=fact.source,
            port=fact.port,
            version=VERSION,
            flags=FLAG_IDS,
            publisher_id=fact.publisher_id,
            message_id=fact.message_id,
            segments=fact.segments_had,
        )

    def _reject(
        self,
        batch: ReceivedBatch,
        error: WireError,
        datagram: bytes,
        arrival: int,
        peer: str,
        port: int,
    ) -> None:
        """Count a refused datagram, and record it unless there are too many."""
        rejected = self.counters.rejected
        rejected[error.reason] = rejected.get(error.reason, 0) + 1
        if not self._rejected_allowance.take(arrival):
            self.counters.rejected_unrecorded += 1
            return
        sound = error.reason in _SOUND_HEADER
        batch.append(
            arrival,
            RecordKind.REJECTED,
            _encode_json(RejectedNote(error.reason, str(error))),
            transport=_UDP,
            peer=peer,
            port=port,
            version=datagram[0] >> 5 if datagram else 0,
            flags=FLAG_IDS if sound else 0,
            publisher_id=int.from_bytes(datagram[4:8]) if sound else 0,
            message_id=int.from_bytes(datagram[8:12]) if sound else 0,
        )


class _Allowance:
    """So many in each second of arrivals."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._second = 0
        self._taken = 0

    def take(self, now: int) -> bool:
        """Whether there is one left in the second of ``now``."""
        second = now // SECOND
        if second != self._second:
            self._second, self._taken = second, 0
        self._taken += 1
        return self._taken <= self._per_second
