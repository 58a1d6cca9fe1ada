"""Datagrams -> ``ReceivedBatch``: the part of the UDP-notif receiver that needs no socket.

Does: check headers in columns, copy whole messages into a batch, put segments together, turn what
is refused or half built into records, count everything once. Does not: read a socket or a clock:
the receiver and the replay of captures drive it with their own, through the same code.

Rules: rows keep the order of arrival; a message that came in segments stands where its last
missing segment came. What becomes of refused datagrams and half-built messages: ``recording``; of
senders that do not keep to the draft: ``reading``, ``quirks``.

Spec: draft-ietf-netconf-udp-notif-26 §3.2, §4.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import chain

import numpy as np

from collector.core.assembly.reassembly import Reassembly
from collector.core.assembly.segments import Assembled, ReassemblyLimits, Runs, SegmentReceived
from collector.errors import WireError
from collector.model import Coded, CollectorTime, MediaType, Quirk, ReceivedBatch
from collector.receivers.datagrams.counters import ReceiveCounters
from collector.receivers.datagrams.joining import extend
from collector.receivers.datagrams.quirks import Quirks
from collector.receivers.datagrams.reading import Cut, count_top_bit, needed_for
from collector.receivers.datagrams.recording import Recording
from collector.receivers.datagrams.runs import Arrived
from collector.receivers.sockets.slab import DatagramSlab
from collector.wire.udp_notif.datagrams import VERSION, Header, decode_header

Datagram = tuple[int, str, int, bytes]
"""Arrival (CollectorTime, ns), source address, source port, UDP payload."""


class DatagramBatcher:
    """Turns slabs of datagrams into batches of records. Not for use by two threads at once."""

    def __init__(
        self,
        limits: ReassemblyLimits | None = None,
        *,
        strict_sources: Set[str] = frozenset(),
        quirks: Mapping[str, Set[Quirk]] | None = None,
        rejected_per_second: int = 100,
        half_built_per_second: int = 1000,
    ) -> None:
        """
        Args:
            limits: of reassembly.
            strict_sources: senders whose unknown options are refused (``quirks``).
            quirks: sender -> what it does otherwise than the draft.
            rejected_per_second: REJECTED records at most in one second of arrivals.
            half_built_per_second: UNREASSEMBLED records at most, likewise; a flood of invented
                segments pushes out as many messages.
        """
        self._reassembly = Reassembly(limits)
        self._shortest_notice = (limits or ReassemblyLimits()).notice
        self._quirks = Quirks(quirks, strict_sources)
        self.counters = ReceiveCounters()
        self._recording = Recording(self.counters, rejected_per_second, half_built_per_second)

    def use_quirks(
        self, quirks: Mapping[str, Set[Quirk]], strict_sources: Set[str] = frozenset()
    ) -> None:
        """From now on these switches are set."""
        self._quirks = Quirks(quirks, strict_sources)

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
        cut = Cut(slab, arrivals, peers, ports, self._quirks, self.counters.quirks)
        try:
            return self._receive(slab, cut)
        finally:
            cut.restore()

    def _receive(self, slab: DatagramSlab, cut: Cut) -> ReceivedBatch:
        arrived = Arrived(
            slab, cut.arrivals, cut.peers, cut.ports, self._quirks, self.counters.quirks
        )
        self._count(arrived)
        rows = arrived.rows()
        if not len(arrived.loose) and not len(arrived.run_groups):
            return rows
        return self._put_together(arrived, rows, slab)

    def refuse(
        self, batch: ReceivedBatch, error: WireError, arrival: int, peer: str, port: int
    ) -> None:
        """Count and record something of which not even the header could be looked at."""
        self._recording.rejected(batch, error, b"", arrival, peer, port)

    def next_deadline(self) -> CollectorTime | None:
        """When ``handle_timer`` is due, or None."""
        return self._reassembly.next_deadline()

    def handle_timer(self, now: int) -> ReceivedBatch:
        """Records of what is still half built; messages that wait must be received first."""
        batch = ReceivedBatch()
        self._recording.facts(batch, self._reassembly.handle_timer(now), now)
        return batch

    def stop(self, now: int) -> ReceivedBatch:
        """Give up what is half built; returns its records."""
        batch = ReceivedBatch()
        self._recording.facts(batch, self._reassembly.stop(), now)
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
        quirks, needed = self._quirks.of(peer), self.counters.quirks
        try:
            header = decode_header(
                datagram,
                strict=self._quirks.is_strict(peer),
                top_bit_last=Quirk.LAST_FLAG_IN_TOP_BIT in quirks,
                legacy=Quirk.LEGACY_HEADER in quirks,
            )
        except WireError as error:
            quirk = needed_for(datagram, error.reason)
            if quirk is not None and quirk not in quirks:
                needed.count(peer, quirk, is_on=False)
            self._recording.rejected(batch, error, datagram, arrival, peer, port)
            return
        if header.options:
            needed.count(peer, Quirk.UNKNOWN_OPTIONS, is_on=True)
        if header.segment is not None:
            count_top_bit(header.segment, peer, Quirk.LAST_FLAG_IN_TOP_BIT in quirks, needed)
        form = self._form(header, peer, quirks)
        payload = datagram[header.header_length :]
        if header.segment is None:
            message = Assembled(
                peer,
                port,
                header.publisher_id,
                header.message_id,
                form,
                1,
                header.options,
                payload,
                CollectorTime(arrival),
            )
            self._recording.message(batch, message, arrival)
            return
        segment = SegmentReceived(
            peer,
            port,
            header.publisher_id,
            header.message_id,
            form,
            header.segment.number,
            header.segment.last,
            header.options,
            payload,
        )
        self._receive_segment(batch, segment, arrival)

    def _form(self, header: Header, peer: str, quirks: Set[Quirk]) -> int:
        """The first octet of a header, as version 1 has it."""
        media_type = header.media_type
        if not media_type and not header.private_space and header.version == VERSION:
            is_on = Quirk.OLD_MEDIA_TYPES in quirks
            self.counters.quirks.count(peer, Quirk.OLD_MEDIA_TYPES, is_on=is_on)
            media_type = MediaType.YANG_DATA_CBOR if is_on else media_type
        return header.version << 5 | header.private_space << 4 | media_type

    def _receive_segment(
        self, batch: ReceivedBatch, segment: SegmentReceived, arrival: int
    ) -> None:
        self.counters.segments += 1
        facts = self._reassembly.receive(segment, arrival)
        if facts:
            self._recording.facts(batch, facts, arrival)
