"""Room for a batch of datagrams, reused for every batch: one row of a numpy array each.

Does: hold octets, lengths and times. Does not: fill itself (``receivers.recvmmsg`` and captures
do) or keep anything over the next batch.
"""

from __future__ import annotations

import mmap
from typing import Final

import numpy as np
from numpy.typing import NDArray

ROW_OCTETS: Final = 65_536 + 64
"""Longer than any UDP payload, so nothing is ever cut off. Not a power of two: rows that are 64
KiB apart would fall on the same lines of the processor's cache."""


class DatagramSlab:
    """``rows`` datagrams; untouched rows and the untouched ends of rows cost no memory."""

    __slots__ = ("lengths", "octets", "stamps", "view")

    def __init__(self, rows: int) -> None:
        if rows < 1:
            raise ValueError("a slab has at least one row")
        # numpy asks for huge pages, and then one datagram makes 2 MiB resident
        memory = mmap.mmap(-1, rows * ROW_OCTETS, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.octets: NDArray[np.uint8] = np.frombuffer(memory, np.uint8).reshape(rows, ROW_OCTETS)
        """One datagram a row."""
        self.lengths: NDArray[np.uint32] = np.zeros(rows, np.uint32)
        """Octets of each datagram."""
        self.stamps: NDArray[np.int64] = np.zeros(rows, np.int64)
        """When the kernel took each datagram, ns since 1970 by the system's clock; 0: not known."""
        self.view = self.octets.data.cast("B")
        """The same octets without rows."""

    def __len__(self) -> int:
        return len(self.lengths)

    def put(self, row: int, datagram: bytes) -> None:
        """Fill one row."""
        start = row * ROW_OCTETS
        self.view[start : start + len(datagram)] = datagram
        self.lengths[row] = len(datagram)

    def datagram(self, row: int) -> bytes:
        """A copy of one row's datagram."""
        start = row * ROW_OCTETS
        return self.view[start : start + int(self.lengths[row])].tobytes()
