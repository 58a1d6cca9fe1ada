"""Room for a batch of datagrams, reused for every batch: rows of a numpy array.

Does: hold octets, and where each datagram lies in them. Does not: fill itself
(``receivers.sockets.recvmmsg`` and captures do) or keep anything over the next batch.

Rules: normally a row holds one datagram. Where the kernel hands over trains (UDP_GRO: datagrams of
one sender that came one behind the other) it holds a train, cut up by ``split``.
"""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from collector.fast import native
from collector.model import Octets

ROW_OCTETS: Final = 65_536 + 64
"""Longer than any UDP payload, so nothing is ever cut off. Not a power of two: rows that are 64
KiB apart would fall on the same lines of the processor's cache."""

_BEHIND: Final = 64
"""Octets behind the last datagram, so that its header can be read without asking its length."""


class DatagramSlab:
    """``rows`` datagrams; untouched rows and the untouched ends of rows cost no memory."""

    __slots__ = ("_firsts", "lengths", "octets", "stamps", "starts", "view")

    def __init__(self, rows: int) -> None:
        if rows < 1:
            raise ValueError("a slab has at least one row")
        # numpy asks for huge pages, and then one datagram makes 2 MiB resident
        memory = mmap.mmap(-1, rows * ROW_OCTETS, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.octets: NDArray[np.uint8] = np.frombuffer(memory, np.uint8).reshape(rows, ROW_OCTETS)
        """One datagram or train a row."""
        self._firsts: NDArray[np.int64] = np.arange(rows, dtype=np.int64) * ROW_OCTETS
        self.starts = self._firsts
        """Where each datagram begins in ``view``."""
        self.lengths: NDArray[np.uint32] = np.zeros(rows, np.uint32)
        """Octets of each datagram."""
        self.stamps: NDArray[np.int64] = np.zeros(rows, np.int64)
        """When the kernel took each datagram, ns since 1970 by the system's clock; 0: not known."""
        self.view = self.octets.data.cast("B")
        """The same octets without rows."""

    @classmethod
    def of(cls, datagrams: Sequence[bytes]) -> DatagramSlab:
        """One that holds these, one behind the other, and no more; it cannot be filled again."""
        made = cls.__new__(cls)
        lengths = np.fromiter(map(len, datagrams), np.uint32, len(datagrams))
        made.octets = np.zeros((0, ROW_OCTETS), np.uint8)
        made._firsts = np.zeros(0, np.int64)
        made.starts = np.cumsum(lengths, dtype=np.int64) - lengths
        made.lengths = lengths
        made.stamps = np.zeros(len(datagrams), np.int64)
        made.view = memoryview(b"".join((*datagrams, bytes(_BEHIND))))
        return made

    def __len__(self) -> int:
        return len(self._firsts)

    def put(self, row: int, datagram: bytes) -> None:
        """Fill one row with a datagram."""
        start = row * ROW_OCTETS
        self.view[start : start + len(datagram)] = datagram
        self.lengths[row] = len(datagram)

    def fill(self, octets: NDArray[np.uint32], stamps: NDArray[np.int64]) -> None:
        """The first rows hold a datagram each, of so many octets, stamped so."""
        self.starts, self.lengths, self.stamps = self._firsts[: len(octets)], octets, stamps

    def split(
        self,
        octets: NDArray[np.uint32],
        stamps: NDArray[np.int64],
        sizes: NDArray[np.int64],
    ) -> NDArray[np.intp]:
        """The first rows hold trains.

        Args:
            octets: of each train.
            stamps: of each train; all its datagrams came then.
            sizes: octets of each datagram of a train; the last one is what is left. At least 1.

        Returns:
            The row of each datagram.
        """
        parts = np.maximum(-(-octets.astype(np.int64) // sizes), 1)
        rows = np.repeat(np.arange(len(octets)), parts)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(parts) - parts, parts)
        ahead = within * sizes[rows]
        self.starts = self._firsts[rows] + ahead
        self.lengths = np.minimum(sizes[rows], octets[rows] - ahead).astype(np.uint32)
        self.stamps = stamps[rows]
        return rows

    def payloads(self, count: int, headers: NDArray[np.int64]) -> Octets:
        """A copy of what follows the first octets, ``headers`` many, of each datagram."""
        starts = self.starts[:count] + headers
        lengths = np.maximum(self.lengths[:count] - headers, 0)
        offsets = array("i", bytes(4 * (count + 1)))
        if native is not None:
            return Octets(native.gather(self.view, starts, lengths, offsets), offsets)
        np.cumsum(lengths, out=np.frombuffer(offsets, np.int32)[1:])
        view = self.view
        parts = zip(starts.tolist(), (starts + lengths).tolist(), strict=True)
        return Octets(b"".join([view[start:end] for start, end in parts]), offsets)

    def headers(self, count: int, octets: int) -> NDArray[np.uint8]:
        """At least the first ``octets`` of each of the first ``count`` datagrams, a row each."""
        starts = self.starts[:count]
        if np.shares_memory(starts, self._firsts):
            return self.octets[:count]
        # every place of the memory as a header, of which numpy takes those asked for
        places = len(self.view) - octets + 1
        every = np.ndarray((places,), f"V{octets}", self.view, 0, (1,))
        found: NDArray[np.uint8] = every[starts].view(np.uint8).reshape(count, octets)
        return found

    def datagram(self, number: int) -> bytes:
        """A copy of one datagram."""
        start = int(self.starts[number])
        return self.view[start : start + int(self.lengths[number])].tobytes()
