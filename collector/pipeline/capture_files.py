"""Capture files -> datagrams with arrival times: opened, merged by time, the right ports chosen.

Does: read one or several captures (``-``: standard input) side by side, in constant memory; find
the ports of UDP-notif; count what is left out and why. Does not: judge, or look into messages.

Rules: a damaged file ends where the damage is, what came before it counts, and ``damage`` says it.
A destination port is one of UDP-notif from the first datagram on that has a sound UDP-notif header
(``looks_like_udp_notif``); from then on all of its datagrams are taken, so that garbage among them
is refused and counted where live traffic's is. Given ports are taken as they are.
"""

from __future__ import annotations

import heapq
import os
import stat
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

from collector.errors import UsageError, WireError
from collector.model import ClockNote, MediaType
from collector.pipeline.chronology import Chronology
from collector.wire.captures.packets import UdpPacket
from collector.wire.captures.pcap import CaptureReader
from collector.wire.udp_notif.datagrams import HEADER_LENGTH, SEGMENTATION, VERSION

STANDARD_INPUT: Final = "-"
PORTS: Final = 64
"""Ports that are found at most (ours)."""
FILES: Final = 256
"""Files that are read side by side at most (ours; a process may open 1,024)."""
SAY_EVERY: Final = 2048
"""Packets between two looks at how far the files are read (ours)."""
_MEDIA_TYPES: Final = frozenset(MediaType) | {0}
"""0 was CBOR up to udp-notif-03."""
_BEGINNINGS: Final = frozenset(bytes([octet]) for octet in (*b"{[<\xef \t\r\n", *range(0xA0, 0xE0)))
"""First octets of JSON, XML (byte order mark included), and CBOR (a map, or a tag before it)."""

Datagram = tuple[int, str, int, bytes]
"""Arrival (CollectorTime, ns), source address, source port, UDP payload."""


def looks_like_udp_notif(datagram: bytes) -> bool:
    """Whether the fixed header (draft-ietf-netconf-udp-notif-26 §3.2) and its options are sound, of
    version 1 or 0, and the payload can begin one of the encodings."""
    if len(datagram) < HEADER_LENGTH or datagram[0] >> 5 > VERSION or datagram[0] & 0x10:
        return False
    header_length, message_length = datagram[1], int.from_bytes(datagram[2:4])
    if message_length != len(datagram) or not HEADER_LENGTH <= header_length <= message_length:
        return False
    if datagram[0] & 0x0F not in _MEDIA_TYPES:
        return False
    position, later_segment = HEADER_LENGTH, False
    while position < header_length:
        if position + 2 > header_length or datagram[position + 1] < 2:
            return False
        if datagram[position] == SEGMENTATION and datagram[position + 1] == 4:
            later_segment = datagram[position + 2 : position + 4] > b"\x00\x01"
        position += datagram[position + 1]
    if position > header_length:
        return False
    return later_segment or datagram[header_length : header_length + 1] in _BEGINNINGS


class CaptureFiles:
    """The UDP-notif datagrams of capture files, by time. Use it as a context."""

    def __init__(
        self,
        names: Sequence[str],
        *,
        ports: Collection[int] = (),
    ) -> None:
        """
        Args:
            names: paths, or ``-``; each once.
            ports: destination ports to read; empty: they are found.

        Raises:
            UsageError: a file cannot be opened, or there are too many.
        """
        if len(names) > FILES:
            raise UsageError(f"{len(names)} captures at once; at most {FILES}, so merge them first")
        if len(set(names)) < len(names):
            raise UsageError("a capture is named twice")
        self.ports: dict[int, int] = dict.fromkeys(ports, 0)
        """Destination port -> datagrams taken from it."""
        self.damage: list[str] = []
        """A sentence for each file that could not be read to its end."""
        self.packets = 0
        """UDP datagrams seen, of any kind."""
        self.last_arrival = 0
        """Of the newest datagram taken, ns since 1970."""
        self.advance: Callable[[float], None] = lambda octets: None
        """Called now and then with how many octets are read, of ``octets``."""
        self.watch: Callable[[int, UdpPacket], None] = lambda arrival, packet: None
        """Called with each datagram before it is given out: its arrival, and all that is known."""
        self._sniff = not ports
        self._other_ports = 0
        self._open = ExitStack()
        self._files = [(name, self._opened(name)) for name in names]
        self._readers = [CaptureReader(file) for _, file in self._files]
        sizes = [_size(file) for _, file in self._files]
        self.octets = None if None in sizes else sum(size or 0 for size in sizes)
        """Size of all files together; None where one of them is a stream."""
        self._chronology = Chronology(self._merged())

    @property
    def left_out(self) -> dict[str, int]:
        """Reason word -> frames and datagrams that were not taken."""
        found: dict[str, int] = {}
        for reader in self._readers:
            for word, count in reader.skipped.items():
                found[word] = found.get(word, 0) + count
        if self._other_ports:
            found["other-udp"] = self._other_ports
        return found

    @property
    def odd_stamps(self) -> dict[str, int]:
        """Reason word -> packets whose stamp was not taken as it is (see ``Chronology``)."""
        return dict(self._chronology.odd)

    def take_notes(self) -> list[ClockNote]:
        """Where the capturing clock was set back, since the last call."""
        return self._chronology.take_notes()

    def __enter__(self) -> CaptureFiles:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def __iter__(self) -> Iterator[Datagram]:
        """The datagrams of UDP-notif ports, arrivals never decreasing."""
        for arrival, packet in self._chronology:
            if self._takes(packet):
                self.last_arrival = arrival
                self.watch(arrival, packet)
                yield arrival, packet.source, packet.source_port, packet.payload

    def _takes(self, packet: UdpPacket) -> bool:
        port = packet.destination_port
        if port in self.ports:
            self.ports[port] += 1
            return True
        if self._sniff and len(self.ports) < PORTS and looks_like_udp_notif(packet.payload):
            self.ports[port] = 1
            return True
        self._other_ports += 1
        return False

    # ------------------------------------------------------------------ files
    def _opened(self, name: str) -> BinaryIO:
        if name == STANDARD_INPUT:
            return sys.stdin.buffer
        try:
            return self._open.enter_context(Path(name).open("rb"))
        except OSError as error:
            self._open.close()
            raise UsageError(f"{name} cannot be read: {error.strerror or error}") from None

    def _merged(self) -> Iterator[UdpPacket]:
        streams = [
            self._read(name, reader)
            for (name, _), reader in zip(self._files, self._readers, strict=True)
        ]
        if len(streams) == 1:
            return streams[0]
        return heapq.merge(*streams, key=lambda packet: packet.time_ns)

    def _read(self, name: str, reader: CaptureReader) -> Iterator[UdpPacket]:
        """One file up to its end or its damage."""
        shown = "standard input" if name == STANDARD_INPUT else name
        try:
            for packet in reader:
                self.packets += 1
                if self.packets % SAY_EVERY == 0:
                    self.advance(self._octets_read())
                yield packet
        except WireError as error:
            self.damage.append(f"{shown}: {error}")
        except OSError as error:
            self.damage.append(f"{shown} cannot be read on: {error.strerror or error}")

    def _octets_read(self) -> int:
        return 0 if self.octets is None else sum(file.tell() for _, file in self._files)


def _size(file: BinaryIO) -> int | None:
    """Octets of a regular file, None for a stream."""
    try:
        status = os.fstat(file.fileno())
    except OSError:  # a stream that is no file of the system at all
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
