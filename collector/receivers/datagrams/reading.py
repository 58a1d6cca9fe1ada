"""Headers of a read, with what their senders do otherwise than the draft taken into account.

Does: read headers in columns, each as its sender means it; count where a switch is needed, set or
not; cut datagrams that hold several messages. Does not: look at what only a single datagram can
tell (``needed_for``): that costs as much as a message, and is asked where one is refused anyway.
"""

from __future__ import annotations

from array import array
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from collector.model import Coded, MediaType, Quirk
from collector.receivers.datagrams.quirks import Quirks, QuirksNeeded
from collector.receivers.sockets.slab import DatagramSlab
from collector.wire.udp_notif.datagrams import (
    HEADER_LENGTH,
    VERSION,
    HeaderColumns,
    Segment,
    decode_columns,
    messages_in,
)
from collector.wire.udp_notif.version_0 import is_legacy

_HIGH: Final = 1 << 14
"""A Segment Number that takes the highest bit of its field: L, where that is put there."""


def read_headers(
    headers: NDArray[np.uint8],
    lengths: NDArray[Any],
    senders: Coded[str],
    quirks: Quirks,
    needed: QuirksNeeded,
) -> HeaderColumns:
    """``decode_columns``, with the switches of the senders."""
    top_bit_last = quirks.rows(Quirk.LAST_FLAG_IN_TOP_BIT, senders)
    legacy = quirks.rows(Quirk.LEGACY_HEADER, senders)
    columns = decode_columns(headers, lengths, top_bit_last=top_bit_last, legacy=legacy)
    if legacy is not None:
        other = columns.whole & legacy & (columns.version == 0) & (headers[:, 1] >= HEADER_LENGTH)
        needed.count_rows(np.flatnonzero(other), senders, Quirk.LEGACY_HEADER, is_on=True)
    if np.count_nonzero(columns.segment):
        _count_top_bits(columns, top_bit_last, senders, needed)
    if np.count_nonzero(columns.media_type) < len(lengths):
        columns = _with_old_media_types(columns, senders, quirks, needed)
    return columns


def _count_top_bits(
    columns: HeaderColumns,
    top_bit_last: NDArray[np.bool_] | None,
    senders: Coded[str],
    needed: QuirksNeeded,
) -> None:
    """No message has 16,384 segments: the bit that says so is L."""
    odd = columns.segment & (columns.number >= _HIGH)
    quirk = Quirk.LAST_FLAG_IN_TOP_BIT
    if top_bit_last is not None:
        met = columns.segment & columns.last & top_bit_last
        needed.count_rows(np.flatnonzero(met), senders, quirk, is_on=True)
        odd &= ~top_bit_last
    if np.count_nonzero(odd):
        needed.count_rows(np.flatnonzero(odd), senders, quirk, is_on=False)


def count_top_bit(segment: Segment, sender: str, is_on: bool, needed: QuirksNeeded) -> None:
    """Likewise, for one datagram."""
    if segment.last if is_on else segment.number >= _HIGH:
        needed.count(sender, Quirk.LAST_FLAG_IN_TOP_BIT, is_on=is_on)


def _with_old_media_types(
    columns: HeaderColumns, senders: Coded[str], quirks: Quirks, needed: QuirksNeeded
) -> HeaderColumns:
    """Media type 0, reserved in version 1 (§8.1.1), is CBOR where the sender numbers that way."""
    met = (columns.media_type == 0) & ~columns.private_space & (columns.version == VERSION)
    met &= columns.whole | columns.segment
    old = quirks.rows(Quirk.OLD_MEDIA_TYPES, senders)
    known = met & old if old is not None else np.zeros(len(met), np.bool_)
    for rows, is_on in ((known, True), (met & ~known, False)):
        needed.count_rows(np.flatnonzero(rows), senders, Quirk.OLD_MEDIA_TYPES, is_on=is_on)
    if not known.any():
        return columns
    cbor = np.uint8(MediaType.YANG_DATA_CBOR)
    return columns._replace(media_type=np.where(known, cbor, columns.media_type))


def needed_for(datagram: bytes, reason: str) -> Quirk | None:
    """The switch with which a datagram that was refused could be read; None: there is none."""
    if reason == "unknown-option":
        return Quirk.UNKNOWN_OPTIONS
    if reason == "bad-message-length" and messages_in(datagram):
        return Quirk.SEVERAL_MESSAGES
    return Quirk.LEGACY_HEADER if is_legacy(datagram) else None


# --------------------------------------------------------------------------- several messages
class Cut:
    """What a slab holds, with datagrams of several messages cut into these."""

    __slots__ = ("_kept", "_slab", "arrivals", "peers", "ports")

    def __init__(
        self,
        slab: DatagramSlab,
        arrivals: array[int],
        peers: Coded[str],
        ports: array[int],
        quirks: Quirks,
        needed: QuirksNeeded,
    ) -> None:
        self.arrivals, self.peers, self.ports = arrivals, peers, ports
        """Of each message."""
        self._slab = slab
        self._kept = slab.starts, slab.lengths
        rows = quirks.rows(Quirk.SEVERAL_MESSAGES, peers)
        if rows is None:
            return
        found = {
            row: starts
            for row in np.flatnonzero(rows).tolist()
            if (starts := messages_in(slab.datagram(row)))
        }
        if found:
            several = np.fromiter(found, np.intp)
            needed.count_rows(several, peers, Quirk.SEVERAL_MESSAGES, is_on=True)
            self._cut(found)

    def _cut(self, found: dict[int, list[int]]) -> None:
        """``found``: row -> where its messages begin."""
        slab, count = self._slab, len(self.arrivals)
        starts, lengths = slab.starts[:count].tolist(), slab.lengths[:count].tolist()
        parts: list[tuple[int, int, int]] = []  # row, start, octets
        for row, (start, length) in enumerate(zip(starts, lengths, strict=True)):
            here = found.get(row, [0])
            ends = [*here[1:], length]
            parts += [
                (row, start + begin, end - begin) for begin, end in zip(here, ends, strict=True)
            ]
        rows, places, octets = map(np.array, zip(*parts, strict=True))
        slab.starts = places.astype(np.int64)
        slab.lengths = octets.astype(np.uint32)
        self.arrivals = array("q", np.asarray(self.arrivals, np.int64)[rows].tobytes())
        self.ports = array("H", np.asarray(self.ports, np.uint16)[rows].tobytes())
        codes = np.frombuffer(self.peers.codes, np.uint32)[rows]
        self.peers = Coded(self.peers.words, array("I", codes.tobytes()))

    def restore(self) -> None:
        """The slab as it was."""
        self._slab.starts, self._slab.lengths = self._kept
