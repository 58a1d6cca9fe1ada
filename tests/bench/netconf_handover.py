"""NETCONF notifications: what the bare SSH library takes, and what the collector takes through it.

Does: receive the same messages of the same device on this machine in four ways, in turn: a client
of the library that only cuts frames; the collector's subscriber, whose batches nobody keeps; the
same into the journal; the whole collector. Takes the CPU time of this process, all threads. Does
not: look at the verdicts.

The device is a process of its own, and what it sends was made before; where a way keeps a core
busy, it is the way that sets the pace.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh
from msgspec import Struct

from collector.config import read_config_table
from collector.journal import Journal
from collector.metrics import Counters
from collector.model import (
    SECOND,
    CollectorTime,
    MediaType,
    Octets,
    ReceivedBatch,
    RecordKind,
    SelectionFilter,
    SubscriptionTerms,
)
from collector.pipeline import Pipeline
from collector.pipeline.settings import encode_config
from collector.service.intake import LiveIntake
from collector.store.writer import StoreWriter
from collector.subscriber.manager import SubscriptionManager
from collector.subscriber.sessions import asyncssh_session
from collector.subscriber.sessions.session import CLIENT_CAPABILITIES, SessionSettings
from collector.subscriber.wanted import DeviceAccess, WantedSubscription
from collector.wire.netconf.framing import (
    END_OF_CHUNKS,
    END_OF_MESSAGE,
    encode_chunked,
    encode_delimited,
)
from collector.wire.netconf.hello import encode_hello
from collector.wire.notifications.envelopes import decode_batch
from tests.bench.netconf_device import START, WINDOW, Stream, device, push_update

STREAMS = (
    Stream(20_000, 900),
    Stream(4_000, 9_000),
    Stream(20_000, 900, "full"),
    Stream(4_000, 9_000, "full"),
)
QUICK = (Stream(100, 900),)
TIMES = 3
_DEVICE = "device0"


class Way(Struct, frozen=True):
    """What one way cost; the median of a few times."""

    name: str
    messages: int
    cpu_seconds: float
    wall_seconds: float

    @property
    def microseconds(self) -> float:
        """CPU us of one message."""
        return self.cpu_seconds / self.messages * 1e6

    @property
    def rate(self) -> float:
        """Messages a second that came, with the device on another core."""
        return self.messages / self.wall_seconds

    @property
    def a_core(self) -> float:
        """Messages a second that a core could take."""
        return self.messages / self.cpu_seconds

    @property
    def busy(self) -> float:
        """Cores that it kept busy."""
        return self.cpu_seconds / self.wall_seconds


class HandOver(Struct, frozen=True):
    """All ways with messages of one size."""

    stream: Stream
    bare: Way
    """The library, and frames cut."""
    handed: Way
    """The subscriber; its batches are counted and thrown away."""
    journal: Way
    """The subscriber, into the journal."""
    whole: Way
    """The same, decoded, judged and stored."""
    decode_microseconds: float
    """CPU of that which decoding a message takes, measured by itself."""

    @property
    def share(self) -> float:
        """Of what the bare library takes a core, the part that is handed over."""
        return self.bare.microseconds / self.handed.microseconds

    @property
    def share_into_journal(self) -> float:
        """The part that comes into the journal, with all that the disk costs."""
        return self.bare.microseconds / self.journal.microseconds

    @property
    def judge_microseconds(self) -> float:
        """CPU of a message behind the journal, without decoding it: judged, made rows, stored."""
        return self.whole.microseconds - self.journal.microseconds - self.decode_microseconds


def hand_over(stream: Stream, *, folder: Path | None, times: int = TIMES) -> HandOver:
    """Receive a stream a few times in each way, one way after the other."""
    window, asyncssh_session.WINDOW = asyncssh_session.WINDOW, WINDOW
    try:
        return _hand_over(stream, folder, times)
    finally:
        asyncssh_session.WINDOW = window


def _hand_over(stream: Stream, folder: Path | None, times: int) -> HandOver:
    ways: dict[str, Receive] = {
        "bare library": _bare, "handed over": _handed, "into the journal": _journal,
        "judged and stored": _whole,
    }  # fmt: skip
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    with device(stream) as settings:
        for _ in range(times):
            for name, receive in ways.items():
                with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as kept:
                    watch = Watch(stream.messages)
                    gc.collect()
                    asyncio.run(receive(settings, watch, Path(kept)))
                    spent[name].append((watch.cpu_seconds, watch.wall_seconds))
    bare, handed, journal, whole = (
        _median(name, stream.messages, pairs) for name, pairs in spent.items()
    )
    return HandOver(stream, bare, handed, journal, whole, _decoding(stream.octets))


def _median(name: str, messages: int, pairs: list[tuple[float, float]]) -> Way:
    cpu, wall = zip(*pairs, strict=True)
    return Way(name, messages, statistics.median(cpu), statistics.median(wall))


def _decoding(octets: int, messages: int = 300) -> float:
    """The median of a few times."""
    payloads = Octets.of(
        [push_update(number, octets, time.time_ns()) for number in range(messages)]
    )
    kinds = [int(MediaType.YANG_DATA_XML)] * messages

    def once() -> float:
        before = time.process_time()
        decode_batch(payloads, kinds)
        return time.process_time() - before

    return statistics.median(once() for _ in range(7)) / messages * 1e6


class Watch:
    """From the request on until so many messages came."""

    def __init__(self, messages: int) -> None:
        self._left = messages
        self.over = asyncio.Event()
        self.cpu_seconds = self.wall_seconds = 0.0

    def start(self) -> None:
        """Something was asked for: soon they come."""
        self.cpu_seconds = -time.process_time()

    def came(self, messages: int) -> None:
        """So many more; the clock on the wall runs from the first."""
        if messages and not self.wall_seconds:
            self.wall_seconds = -time.perf_counter()
        self._left -= messages
        if self._left <= 0 and not self.over.is_set():
            self.cpu_seconds += time.process_time()
            self.wall_seconds += time.perf_counter()
            self.over.set()


Receive = Callable[[SessionSettings, Watch, Path], Any]


# --------------------------------------------------------------------------- the bare library
class _Bare(asyncssh.SSHClientSession[bytes]):
    """Cuts chunked frames of one chunk each (RFC 6242 §4.2), and nothing else."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._rest = b""
        self._greeted = self._replied = False

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """asyncssh: the channel is there."""
        self._channel = chan

    def session_started(self) -> None:
        """asyncssh: the subsystem runs."""
        self._channel.write(encode_delimited(encode_hello(CLIENT_CAPABILITIES)))

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        """asyncssh: octets of the channel."""
        if not self._greeted:
            self._greeted = data.endswith(END_OF_MESSAGE)
            self._watch.start()
            self._channel.write(encode_chunked(START))
            return
        messages, self._rest = _cut(self._rest + data if self._rest else data)
        if messages and not self._replied:
            self._replied = True
            messages = messages[1:]
        self._watch.came(len(messages))


def _cut(data: bytes) -> tuple[list[bytes], bytes]:
    """The messages, and what is behind them."""
    messages, at = [], 0
    while (end := data.find(b"\n", at + 2)) > 0:
        last = end + 1 + int(data[at + 2 : end])
        if last + len(END_OF_CHUNKS) > len(data):
            break
        messages.append(data[end + 1 : last])
        at = last + len(END_OF_CHUNKS)
    return messages, data[at:]


async def _bare(settings: SessionSettings, watch: Watch, folder: Path) -> None:
    options = asyncssh_session._options(settings)
    async with asyncssh.connect(settings.host, settings.port, **options) as connection:
        await connection.create_session(
            lambda: _Bare(watch), subsystem="netconf", encoding=None, window=WINDOW
        )
        await watch.over.wait()


# --------------------------------------------------------------------------- the collector
class _Clock:
    def now(self) -> CollectorTime:
        return CollectorTime(time.time_ns())


class _Watched:
    """An intake; the watch starts with the first request and sees the messages of the device."""

    def __init__(self, take: Callable[[ReceivedBatch], int], watch: Watch) -> None:
        self._take = take
        self._watch = watch
        self._asked = False

    def take(self, batch: ReceivedBatch) -> int:
        """See ``interfaces.Intake``."""
        offset = self._take(batch)
        if not self._asked and batch.kind[0] == RecordKind.REQUEST:
            self._asked = True
            self._watch.start()
        if self._asked and not self._watch.over.is_set():
            self._watch.came(batch.kind.count(RecordKind.DATA))
        return offset

    async def committed(self, offset: int) -> None:
        """See ``interfaces.Intake``; the disk is not what is measured."""


async def _handed(settings: SessionSettings, watch: Watch, folder: Path) -> None:
    await _subscribed(settings, watch, len)


async def _journal(settings: SessionSettings, watch: Watch, folder: Path) -> None:
    with Journal.open(folder) as journal:
        await _subscribed(settings, watch, lambda batch: journal.append(batch).next_offset)


async def _whole(settings: SessionSettings, watch: Watch, folder: Path) -> None:
    clock = _Clock()
    store = StoreWriter(folder)
    with Journal.open(folder) as journal:
        intake = LiveIntake(
            journal=journal, pipeline=Pipeline(), store=store, sinks=[], clock=clock,
            counters=Counters(),
        )  # fmt: skip
        journal.on_sealed.append(lambda done: store.seal(done.first_offset, journal.next_offset))
        config = read_config_table({"device": [{"name": _DEVICE, "sources": ["127.0.0.1"]}]})
        intake.note(RecordKind.CONFIG, encode_config(config))
        await _subscribed(settings, watch, intake.take)
        assert intake.pipeline.engine.states(_DEVICE, ended=True), "nothing was judged"
        journal.seal()
        store.close()


async def _subscribed(
    settings: SessionSettings, watch: Watch, take: Callable[[ReceivedBatch], int]
) -> None:
    """The collector's way to a subscription, until everything came."""
    manager = SubscriptionManager(_Watched(take, watch), _Clock())
    terms = SubscriptionTerms(
        datastore="operational",
        selection_filter=SelectionFilter("xpath", "/ietf-interfaces:interfaces"),
        period=60 * SECOND,
        encoding="encode-xml",
    )
    wanted = WantedSubscription("interfaces", _DEVICE, terms)
    await manager.apply([DeviceAccess(_DEVICE, settings)], [wanted])
    await watch.over.wait()
    await manager.stop()
