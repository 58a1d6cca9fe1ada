"""The datagrams of one read as columns, and the messages whose segments lie one behind the other.

Does: read headers, copy payloads out of the slab, find such runs (so messages come in a train) and
make rows of them: the payloads of a run already lie one behind the other, so that its row is the
one from the first segment's beginning to the last one's end. Does not: decide whether a run becomes
a message (``core.assembly.reassembly``), or say what is wrong with a datagram.
"""

from __future__ import annotations

from array import array
from typing import Final

import numpy as np
from numpy.typing import NDArray

from collector.core.assembly.segments import Runs, SegmentReceived
from collector.model import (
    FLAG_IDS,
    FLAG_PRIVATE,
    Coded,
    MediaType,
    Octets,
    ReceivedBatch,
    RecordKind,
    Transport,
)
from collector.receivers.datagrams.quirks import Quirks, QuirksNeeded
from collector.receivers.datagrams.reading import read_headers
from collector.receivers.sockets.slab import DatagramSlab
from collector.wire.udp_notif.datagrams import (
    HEADER_LENGTH,
    SEGMENT_HEADER_LENGTH,
    HeaderColumns,
)

_UDP: Final = bytes([Transport.UDP_NOTIF])
_DATA: Final = bytes([RecordKind.DATA])
KNOWN_MEDIA_TYPES: Final = frozenset(MediaType)
"""With S=0 (§8.1.1)."""
_UNKNOWN: Final = np.array([number not in KNOWN_MEDIA_TYPES for number in range(16)])
_NO_PLACES: Final = np.zeros(0, np.intp)
Places = NDArray[np.intp]


class Arrived:
    """Datagrams of one read, and groups of them: runs, and all others one by one.

    Once made it needs the slab no more. Numbers are those of datagrams, of groups or of runs; all
    of them count from 0 in order of arrival.
    """

    __slots__ = (
        "_columns", "_ends", "_peers", "_ports", "_starts", "arrivals", "loose", "payload",
        "run_groups", "unknown", "whole",
    )  # fmt: skip

    def __init__(
        self,
        slab: DatagramSlab,
        arrivals: array[int],
        peers: Coded[str],
        ports: array[int],
        quirks: Quirks,
        needed: QuirksNeeded,
    ) -> None:
        count = len(arrivals)
        headers = slab.headers(count, SEGMENT_HEADER_LENGTH)
        self._columns = columns = read_headers(headers, slab.lengths[:count], peers, quirks, needed)
        self.arrivals = arrivals
        self._peers = peers
        self._ports = ports
        self.payload = slab.payloads(
            count, np.where(columns.segment, SEGMENT_HEADER_LENGTH, HEADER_LENGTH)
        )
        """Of each datagram; means something where its header is sound."""
        self._starts: Places | None = None
        self._ends: Places | None = None
        """Of each group; None when every datagram is one."""
        self.run_groups = _NO_PLACES
        """The group of each run."""
        self.loose = np.flatnonzero(~columns.whole)
        """Groups that are no message: one segment, or a datagram to look at."""
        if len(self.loose):
            self._group()
        self.unknown = columns.private_space | _UNKNOWN[columns.media_type]
        """Has a datagram with a sound header a media type that we do not know?"""
        self.whole = columns.whole
        """Is a datagram a message of its own?"""

    def _group(self) -> None:
        """Find the runs: all segments of a message, in order, with nothing in between."""
        columns, count = self._columns, len(self.arrivals)
        segment, number = columns.segment, columns.number.astype(np.int32)
        goes_on = segment[1:] & segment[:-1] & ~columns.last[:-1] & (np.diff(number) == 1)
        for column in (
            columns.publisher_id, columns.message_id, columns.media_type, columns.private_space,
            columns.version, np.frombuffer(self._peers.codes, np.uint32), np.asarray(self._ports),
        ):  # fmt: skip
            goes_on &= column[1:] == column[:-1]
        begins = np.concatenate(([True], ~goes_on))
        starts = np.flatnonzero(begins)
        ends = np.append(starts[1:], count)
        run = segment[starts] & (number[starts] == 0) & columns.last[ends - 1] & (ends - starts > 1)
        if not run.any():
            return
        # what begins like a run but is none is taken apart again
        begins |= ~np.repeat(run, ends - starts)
        self._starts = starts = np.flatnonzero(begins)
        self._ends = ends = np.append(starts[1:], count)
        self.run_groups = np.flatnonzero(ends - starts > 1)
        loose = ~columns.whole[starts]
        loose[self.run_groups] = False
        self.loose = np.flatnonzero(loose)

    @property
    def groups(self) -> int:
        """How many there are."""
        return len(self.arrivals) if self._ends is None else len(self._ends)

    def firsts(self, groups: Places) -> Places:
        """The first datagram of groups."""
        return groups if self._starts is None else self._starts[groups]

    def sender(self, row: int) -> tuple[str, int]:
        """Source address and port of a datagram."""
        return self._peers[row], self._ports[row]

    def rows(self) -> ReceivedBatch:
        """A record of each group, as if it were a message; a run arrives with its last segment."""
        columns, count, batch = self._columns, self.groups, ReceivedBatch()
        private, media_type = columns.private_space, columns.media_type
        version = columns.version
        publisher_id, message_id = columns.publisher_id, columns.message_id
        batch.received_at = self.arrivals
        batch.peer, batch.port = self._peers, self._ports
        batch.payload = self.payload
        batch.segments = array("H", [1]) * count
        if self._starts is not None and self._ends is not None:
            last = self._ends - 1
            private, media_type, version = private[last], media_type[last], version[last]
            publisher_id, message_id = publisher_id[last], message_id[last]
            batch.received_at = array("q", np.asarray(self.arrivals, np.int64)[last].tobytes())
            codes = np.frombuffer(self._peers.codes, np.uint32)[last]
            batch.peer = Coded(self._peers.words, array("I", codes.tobytes()))
            batch.port = array("H", np.asarray(self._ports, np.uint16)[last].tobytes())
            offsets = np.frombuffer(self.payload.offsets, np.int32)
            cuts = array("i", np.append(offsets[self._starts], offsets[-1:]).tobytes())
            batch.payload = Octets(self.payload.data, cuts)
            segments = (self._ends - self._starts).astype(np.uint16)
            batch.segments = array("H", segments.tobytes())
        batch.kind = array("B", _DATA * count)
        batch.transport = array("B", _UDP * count)
        batch.session = Coded.repeated("", count)
        batch.version = array("B", version.tobytes())
        flags = np.where(private, FLAG_IDS | FLAG_PRIVATE, FLAG_IDS)
        batch.flags = array("B", flags.astype(np.uint8).tobytes())
        batch.media_type = array("H", media_type.astype(np.uint16).tobytes())
        batch.publisher_id = array("I", publisher_id.tobytes())
        batch.message_id = array("I", message_id.tobytes())
        batch.options = Octets.empty(count)
        return batch

    def runs(self) -> Runs:
        """What reassembly wants to know of the runs."""
        if self._starts is None or self._ends is None:
            return Runs([], [], [], [], self.arrivals, self.payload)
        columns = self._columns
        starts, ends = self._starts[self.run_groups], self._ends[self.run_groups]
        words = self._peers.words
        peers = np.frombuffer(self._peers.codes, np.uint32)[starts].tolist()
        keys = zip(
            map(words.__getitem__, peers),
            np.asarray(self._ports)[starts].tolist(),
            columns.publisher_id[starts].tolist(),
            columns.message_id[starts].tolist(),
            strict=True,
        )
        forms = _forms(columns, starts)
        return Runs(
            list(keys), forms.tolist(), starts.tolist(), ends.tolist(), self.arrivals, self.payload
        )

    def segments(self, rows: Places) -> list[SegmentReceived | None]:
        """Datagrams as segments; None for one that has to be looked at."""
        columns, words = self._columns, self._peers.words
        forms = _forms(columns, rows)
        found = zip(
            columns.segment[rows].tolist(),
            map(words.__getitem__, np.frombuffer(self._peers.codes, np.uint32)[rows].tolist()),
            np.asarray(self._ports)[rows].tolist(),
            columns.publisher_id[rows].tolist(),
            columns.message_id[rows].tolist(),
            forms.tolist(),
            columns.number[rows].tolist(),
            columns.last[rows].tolist(),
            rows.tolist(),
            strict=True,
        )
        return [
            SegmentReceived(
                peer, port, publisher_id, message_id, form, number, last, b"", self.payload[row]
            )
            if is_segment
            else None
            for is_segment, peer, port, publisher_id, message_id, form, number, last, row in found
        ]


def _forms(columns: HeaderColumns, rows: Places) -> NDArray[np.intp]:
    """The first octets of headers, as version 1 has them."""
    version, media_type = columns.version[rows].astype(np.intp), columns.media_type[rows]
    found: NDArray[np.intp] = version << 5 | columns.private_space[rows].astype(np.intp) << 4
    return found | media_type
