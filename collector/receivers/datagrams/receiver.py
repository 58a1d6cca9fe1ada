"""What receives datagrams: a socket, an event loop and a clock around ``DatagramBatcher``.

Does: open the socket with a large buffer, read batches when it is readable, hand them over
(``offering``), run the timers of reassembly, and record what the kernel dropped. Does not: decode
anything (``batcher``, ``wire.udp_notif``), or say what a datagram holds: that is the receiver's
that is made of this (``udp_notif``, ``dtls``).

Rules:
* A message arrives when the kernel says that it did; where it says nothing, when it was read.
* Where the socket has room to wait, reading pauses for 20 ms after the socket ran empty:
  a batch costs a millisecond, whether it holds eight messages or five hundred.
* While the intake is full nothing is read; the kernel's buffer sheds what does not fit, which is
  counted and recorded as drops.
* A timer never overtakes messages that wait in the socket: it reads them first. Nor does the record
  of a drop, or a tick (``behind``): what waits longest must not look late because we are.

Spec: draft-ietf-netconf-udp-notif-26.
"""

from __future__ import annotations

import asyncio
import logging
import math
import socket
import time
from array import array
from collections.abc import Mapping, Set
from typing import Final

from collector.core.assembly.segments import ReassemblyLimits
from collector.interfaces import Clock, Intake
from collector.model import (
    SECOND,
    Coded,
    Quirk,
    ReceivedBatch,
)
from collector.receivers.datagrams.batcher import DatagramBatcher
from collector.receivers.datagrams.counters import ReceiveCounters
from collector.receivers.datagrams.joining import joined
from collector.receivers.datagrams.offering import Offering
from collector.receivers.each_second import EachSecond
from collector.receivers.sockets.drops import KernelDrops, records_of
from collector.receivers.sockets.recvmmsg import DatagramReader, open_reader
from collector.receivers.sockets.slab import DatagramSlab
from collector.receivers.sockets.stamps import Arrivals
from collector.receivers.sockets.udp import (
    dropped_datagrams,
    enlarge_receive_buffer,
    open_udp_socket,
)

BATCH: Final = 512
"""Datagrams at most in one batch; with more their pages fall out of the processor's TLB."""
_BATCHES_A_WAKE_UP: Final = 4
"""Then the loop looks after others before it comes back."""
_BATCHES_A_DRAIN: Final = 512
"""Bound of ``drain`` against a sender that is faster than we are."""
_READS_TOGETHER: Final = 8
"""Reads whose records are handed over in one go: behind us a batch costs about 1 ms, however small
it is."""
_OCTETS_TOGETHER: Final = 2 << 20
"""So many are handed over at once as well: joining copies them, and a batch of that size pays for
itself."""
_GATHER_SECONDS: Final = 0.02
"""Pause after the socket ran empty; ours, well below any grace."""
_GATHER_BUFFER: Final = 4 << 20
"""Octets of socket buffer that outlast the pause at 90,000 messages/s; with less there is none."""
_CLOCK_SLACK: Final = SECOND // 1000
"""ns by which the clocks of two processors may differ: a stamp may lie a little ahead of now."""
_DRAIN_SECONDS: Final = 0.1
"""So long draining may keep the loop from everything else."""

_log = logging.getLogger(__name__)


class DatagramReceiver:
    """Receives datagrams on one address (``interfaces.Receiver``). Used on one event loop."""

    name = "datagrams"
    section = "udp_notif"
    """Of the configuration, for messages."""
    reads_ahead = False
    stamps = True
    """Its records have the kernel's times of arrival."""
    wants = frozenset({"strict_sources", "quirks", "limits"})

    def __init__(
        self,
        intake: Intake,
        clock: Clock,
        *,
        address: str,
        port: int,
        receive_buffer_bytes: int = 64 * 1024 * 1024,
        batch: int = BATCH,
        limits: ReassemblyLimits | None = None,
        strict_sources: Set[str] = frozenset(),
        quirks: Mapping[str, Set[Quirk]] | None = None,
        rejected_per_second: int = 100,
        opened: socket.socket | None = None,
    ) -> None:
        """
        Args:
            intake: takes the batches.
            clock: of the arrivals.
            address: IPv4 or IPv6 address to listen on; ``::`` takes IPv4 as well.
            port: 0 for any free one, see ``local_port``.
            receive_buffer_bytes: octets asked of the kernel, see ``granted_receive_buffer``.
            batch: datagrams at most in one read; a batch joins up to eight of them.
            limits: of reassembly.
            strict_sources: senders whose unknown options are refused.
            quirks: sender -> what it does otherwise than the draft (``quirks``).
            rejected_per_second: REJECTED records at most in one second.
            opened: a bound socket to read from, in the place of ``address`` and ``port``.
        """
        self._offering = Offering(intake, self.name, self._pause, self._go_on)
        self._clock = clock
        self._address = address
        self._port = port
        self._opened = opened
        self._receive_buffer = receive_buffer_bytes
        self._batch = batch
        self._batcher = DatagramBatcher(
            limits,
            strict_sources=strict_sources,
            quirks=quirks,
            rejected_per_second=rejected_per_second,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socket: socket.socket | None = None
        self._reader: DatagramReader | None = None
        self._gathering: asyncio.TimerHandle | None = None
        """Set while messages gather in the socket."""
        self._timer: asyncio.TimerHandle | None = None
        """Of the next deadline of reassembly; may fire early, never late."""
        self._housekeeping = EachSecond(self._keep_house)
        self._arrivals = Arrivals()
        self._drops: KernelDrops | None = None
        """None where the kernel does not tell."""
        self.behind = False
        """See ``interfaces.Receiver``."""
        self.socket_errors = 0
        """Reads that failed."""
        self.granted_receive_buffer = 0
        """Octets that the kernel granted, in the unit of net.core.rmem_max."""
        self.local_port = 0
        """The port that we listen on, once started."""

    def stats(self) -> dict[str, int]:
        """All counters under fixed words (see ``DatagramBatcher.stats``)."""
        own = {"kernel-drops": self.kernel_drops, "socket-errors": self.socket_errors}
        return self._batcher.stats() | own

    @property
    def kernel_drops(self) -> int:
        """Datagrams that the kernel dropped at our socket since the start."""
        return 0 if self._drops is None else self._drops.total

    @property
    def listening(self) -> bool:
        """Whether the socket is open, also while reading pauses."""
        return self._socket is not None

    @property
    def refused(self) -> bool:
        """Whether a batch waits that a full intake did not take."""
        return self._offering.full

    def use_quirks(self, quirks: Mapping[str, Set[Quirk]], strict_sources: Set[str]) -> None:
        """From now on these switches of senders are set."""
        self._batcher.use_quirks(quirks, strict_sources)

    @property
    def counters(self) -> ReceiveCounters:
        """What was received and refused, with unknown options by type."""
        return self._batcher.counters

    # ----------------------------------------------------------------- life
    async def start(self) -> None:
        """Return when listening.

        Raises:
            ConfigError: the address cannot be used.
        """
        if self._socket is not None:
            return
        self._loop = asyncio.get_running_loop()
        self._socket = self._opened or open_udp_socket(
            self._address, self._port, section=self.section
        )
        self._opened = None
        self.local_port = self._socket.getsockname()[1]
        self._size_buffer(self._socket)
        drops = dropped_datagrams(self._socket)
        if drops is None:
            _log.warning("%s: this kernel does not tell what it drops (SO_MEMINFO)", self.name)
        else:
            self._drops = KernelDrops(drops, self._clock.now())
        self._reader = open_reader(self._socket, self._batch)
        self._loop.add_reader(self._socket, self._readable)
        self._housekeeping.start()

    def _size_buffer(self, sock: socket.socket) -> None:
        asked = self._receive_buffer
        self.granted_receive_buffer = granted = enlarge_receive_buffer(sock, asked)
        if granted < asked:
            _log.warning(
                "%s: the kernel grants a receive buffer of %d octets instead of %d, so "
                "bursts may be lost; to allow it: sysctl -w net.core.rmem_max=%d",
                self.name,
                granted,
                asked,
                asked,
            )

    def drain(self) -> int:
        """Hand over what waits now, and what timers have to say; returns the records taken.

        Under overload that would take for ever: after ``_DRAIN_SECONDS`` the rest has to wait, and
        ``behind`` says so.
        """
        return self._drain(_DRAIN_SECONDS)

    def _drain(self, seconds: float) -> int:
        if self._reader is None:
            return 0
        before = self._clock.now()  # what comes while we read may still wait afterwards
        end = time.monotonic() + seconds
        until = time.time_ns() + _CLOCK_SLACK
        taken = self._read(self._reader, _BATCHES_A_DRAIN, until, end)
        if not self._offering.full:
            if not self.behind:
                self._arrivals.last = max(self._arrivals.last, before)
            taken += (
                self._offering.offer(self._named(self._batcher.handle_timer(self._arrivals.last)))
                + self._offer_drops()
            )
        self._arm_timer()
        return taken

    async def stop(self) -> None:
        """Hand over the rest, half-built messages as such, and close."""
        if self._socket is None or self._loop is None:
            return
        self._drain(math.inf)
        self._offer_drops(last=True)
        rest = self._named(self._batcher.stop(self._clock.now()))
        if not self._offering.full:
            self._offering.offer(rest)
            rest = ReceivedBatch()
        self._loop.remove_reader(self._socket)
        for handle in (self._gathering, self._timer):
            if handle is not None:
                handle.cancel()
        self._gathering = self._timer = None
        self._housekeeping.stop()
        self._offering.close(len(rest))
        self._socket.close()
        self._socket = self._reader = None

    # ----------------------------------------------------------------- reading
    def _readable(self) -> None:
        if self._reader is not None:
            self._read(self._reader, _BATCHES_A_WAKE_UP)
            self._arm_timer()
            if not self._reader.more and self.granted_receive_buffer >= _GATHER_BUFFER:
                self._gather()

    def _gather(self) -> None:
        """Leave the socket alone for a moment, so that the next batch is larger."""
        if self._loop is not None and self._socket is not None and not self._offering.full:
            self._loop.remove_reader(self._socket)
            self._gathering = self._loop.call_later(_GATHER_SECONDS, self._gathered)

    def _gathered(self) -> None:
        self._gathering = None
        if self._loop is not None and self._socket is not None and not self._offering.full:
            self._loop.add_reader(self._socket, self._readable)

    def _read(
        self,
        reader: DatagramReader,
        batches: int,
        until: int | None = None,
        end: float = math.inf,
    ) -> int:
        """Read up to ``batches`` batches and hand them over; returns the records taken.

        Args:
            until: by the system's clock, ns; what the kernel took later need not be read.
            end: by the monotonic clock, s; nothing more is read after it.
        """
        taken = self._offering.again()
        together = ReceivedBatch()
        self.behind = True
        for _ in range(batches):
            if self._offering.full:
                break
            try:
                peers, ports = reader.read()
            except OSError as error:
                self._count_socket_error(error)
                break
            if len(peers):
                now = self._clock.now()
                arrivals = self._arrivals.of(reader.slab.stamps[: len(peers)], now)
                batch = self._take(reader.slab, arrivals, peers, ports)
                together = joined(together, batch)
                if (
                    len(together) >= self._batch * _READS_TOGETHER
                    or together.payload.memory >= _OCTETS_TOGETHER
                ):
                    taken += self._offering.offer(together)
                    together = ReceivedBatch()
            if not reader.more or (until is not None and reader.slab.stamps[-1] >= until):
                self.behind = False
                break
            if time.monotonic() > end:
                break
        self._look_for_drops()
        return taken + self._offering.offer(together)

    def _take(
        self, slab: DatagramSlab, arrivals: array[int], peers: Coded[str], ports: array[int]
    ) -> ReceivedBatch:
        """The records of datagrams that were read (``DatagramBatcher.receive``)."""
        return self._batcher.receive(slab, arrivals, peers, ports)

    def _named(self, batch: ReceivedBatch) -> ReceivedBatch:
        """The records of a timer, with their senders as records name them."""
        return batch

    def _each_second(self) -> None:
        """What a receiver of its kind has to do now and then."""

    def _count_socket_error(self, error: OSError) -> None:
        self.socket_errors += 1
        if self.socket_errors & (self.socket_errors - 1) == 0:  # 1, 2, 4, 8, ...: no flood
            _log.warning("%s: reading failed (%d times): %s", self.name, self.socket_errors, error)

    def _pause(self) -> None:
        if self._loop is not None and self._socket is not None:
            self._loop.remove_reader(self._socket)

    def _go_on(self) -> None:
        if self._loop is not None and self._socket is not None:
            self._loop.add_reader(self._socket, self._readable)

    # ----------------------------------------------------------------- timers
    def _arm_timer(self) -> None:
        """Wake up for the next deadline; while reading pauses nothing is said."""
        deadline = self._batcher.next_deadline()
        if deadline is None or self._timer or self._offering.full or self._loop is None:
            return
        delay = max((deadline - self._clock.now()) / SECOND, 0.001)
        self._timer = self._loop.call_later(delay, self._timer_due)

    def _timer_due(self) -> None:
        self._timer = None
        self.drain()

    def _keep_house(self) -> None:
        """Once a second: what the kernel dropped, also while nothing arrives."""
        self._each_second()
        self.drain()

    def _look_for_drops(self) -> None:
        counted = None if self._socket is None else dropped_datagrams(self._socket)
        if counted is not None and self._drops is not None:
            self._drops.look(counted, self._clock.now())

    def _offer_drops(self, *, last: bool = False) -> int:
        """Record the drops whose time has come, at the ``last`` all; returns the records taken."""
        if self._drops is None or self._offering.full:
            return 0
        due = self._drops.rest if last else self._drops.due
        read = self._arrivals.last
        return self._offering.offer(records_of(due(read, self._clock.now()), read))
