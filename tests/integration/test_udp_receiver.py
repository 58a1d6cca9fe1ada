"""``receivers.udp_notif`` on real loopback sockets."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import msgspec
import numpy as np
import pytest

from collector.core.assembly.segments import ReassemblyLimits
from collector.errors import ConfigError
from collector.model import (
    SECOND,
    CollectorTime,
    DropsNote,
    RecordKind,
    UnreassembledNote,
)
from collector.receivers.datagrams import receiver as datagrams
from collector.receivers.sockets import recvmmsg
from collector.receivers.sockets import udp as sockets
from collector.receivers.sockets.recvmmsg import LoopReader, RecvmmsgReader, Sources, address_text
from collector.receivers.sockets.slab import DatagramSlab
from collector.receivers.udp_notif import UdpNotifReceiver
from collector.wire.udp_notif.datagrams import encode_message
from tests import receiver_ends
from tests.waiting import until

pytestmark = pytest.mark.integration


class Clock:
    """Wall time, or a time that the test sets."""

    def __init__(self) -> None:
        self.set: int | None = None

    def now(self) -> CollectorTime:
        return CollectorTime(time.time_ns() if self.set is None else self.set)


class Intake(receiver_ends.Intake):
    """Its columns are those of one kind of records."""

    def column(self, name: str, kind: RecordKind | None = RecordKind.DATA) -> list[Any]:
        kinds = super().column("kind")
        values = zip(super().column(name), kinds, strict=True)
        return [value for value, of in values if kind is None or of == kind]


@asynccontextmanager
async def listening(intake: Intake, **options: Any) -> AsyncIterator[UdpNotifReceiver]:
    # what any kernel grants to anybody, so these tests see the same everywhere
    options = {"port": 0, "receive_buffer_bytes": 200_000, "batch": 64} | options
    receiver = UdpNotifReceiver(intake, options.pop("clock", Clock()), **options)
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.stop()


@contextmanager
def sender(receiver: UdpNotifReceiver, address: str = "127.0.0.1") -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect((address, receiver.local_port))
        yield sock


def message(message_id: int, payload: bytes = b"{}", **options: Any) -> list[bytes]:
    return encode_message(payload, media_type=1, publisher_id=7, message_id=message_id, **options)


# --------------------------------------------------------------------------- readers
@pytest.fixture(params=["recvmmsg", "loop"])
def either_reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Everything below works with both ways to read a socket."""
    kind: str = request.param
    if kind == "loop":
        monkeypatch.setattr(recvmmsg, "recvmmsg_usable", lambda: False)
    elif not recvmmsg.recvmmsg_usable():
        pytest.skip("no recvmmsg as laid out for 64-bit glibc here")
    return kind


both_readers = pytest.mark.usefixtures("either_reader")


@both_readers
def test_messages_whole_and_segmented_arrive_in_order() -> None:
    async def run() -> None:
        intake = Intake()
        async with listening(intake) as receiver:
            with sender(receiver) as sock:
                for number in range(300):
                    payload = b"%d" % number * (1 if number % 3 else 500)
                    for datagram in message(number, payload, max_segment_size=300):
                        sock.send(datagram)
                    await asyncio.sleep(0)  # the buffer is small
                own_port = sock.getsockname()[1]
                await until(lambda: len(intake.column("kind")) == 300)
        assert intake.column("message_id") == list(range(300))
        assert intake.column("payload") == [
            b"%d" % number * (1 if number % 3 else 500) for number in range(300)
        ]
        assert set(intake.column("peer")) == {"127.0.0.1"}
        assert set(intake.column("port")) == {own_port}
        assert intake.column("segments")[299] == 1
        assert intake.column("segments")[0] == 2
        arrivals = intake.column("received_at")
        assert arrivals == sorted(arrivals)
        assert abs(arrivals[-1] - time.time_ns()) < 60 * SECOND
        assert receiver.stats()["messages"] == receiver.counters.messages == 300
        assert receiver.stats()["kernel-drops"] == 0

    asyncio.run(run())


@both_readers
def test_a_batch_joins_eight_reads_at_most_and_drain_takes_all() -> None:
    async def run() -> None:
        intake = Intake()
        async with listening(intake, batch=2) as receiver:
            with sender(receiver) as sock:
                for number in range(50):
                    sock.send(message(number)[0])
            time.sleep(0.3)  # a busy kernel delivers later; the loop gets no chance meanwhile
            assert receiver.drain() == 50
            assert receiver.drain() == 0
            assert [len(batch) for batch in intake.batches] == [16, 16, 16, 2]

    asyncio.run(run())


@both_readers
def test_the_longest_and_the_shortest_datagram() -> None:
    async def run() -> None:
        intake = Intake()
        async with listening(intake) as receiver:
            with sender(receiver) as sock:
                sock.send(b"")
                sock.send(message(1, b"x" * 65495)[0])
                sock.send(message(2)[0])
                await until(lambda: len(intake.column("kind", None)) == 3)
        assert [len(payload) for payload in intake.column("payload")] == [65495, 2]
        assert receiver.stats()["rejected/too-short"] == 1

    asyncio.run(run())


@both_readers
@pytest.mark.parametrize(
    ("address", "target", "peer"),
    [("::1", "::1", "::1"), ("::", "::1", "::1"), ("::", "127.0.0.1", "127.0.0.1")],
)
def test_ipv6_and_dual_stack(address: str, target: str, peer: str) -> None:
    async def run() -> None:
        intake = Intake()
        try:
            async with listening(intake, address=address) as receiver:
                with sender(receiver, target) as sock:
                    sock.send(message(1)[0])
                    own_port = sock.getsockname()[1]
                    await until(lambda: intake.batches)
        except (ConfigError, OSError) as error:
            pytest.skip(f"no IPv6 here: {error}")
        assert intake.column("peer") == [peer]
        assert intake.column("port") == [own_port]

    asyncio.run(run())


@both_readers
def test_garbage_is_refused_and_the_traffic_around_it_is_not_lost() -> None:
    async def run() -> None:
        intake = Intake()
        garbage = [
            b"?",
            b"\xff" * 100,
            message(0)[0] + b"!",
            b"GET / HTTP/1.1\r\n\r\n",
            b"\0\4\0\x0c" + bytes(8),
        ]
        async with listening(intake, rejected_per_second=10) as receiver:
            with sender(receiver) as sock:
                for number in range(100):
                    sock.send(garbage[number % 5])
                    sock.send(message(number)[0])
                await until(lambda: len(intake.column("kind")) == 100)
        assert intake.column("message_id") == list(range(100))
        refused = {name: n for name, n in receiver.stats().items() if name.startswith("rejected/")}
        assert refused == {
            "rejected/too-short": 20,
            "rejected/unknown-version": 40,
            "rejected/bad-message-length": 20,
            "rejected/version-0": 20,
        }
        assert len(intake.column("kind", RecordKind.REJECTED)) <= 20, "at most ten a second"

    asyncio.run(run())


# --------------------------------------------------------------------------- timers
def test_a_half_built_message_is_recorded_by_the_timer() -> None:
    async def run() -> None:
        intake = Intake()
        limits = ReassemblyLimits(notice=SECOND // 20, window=SECOND)
        async with listening(intake, limits=limits) as receiver:
            with sender(receiver) as sock:
                first, last = message(5, b"abcdef" * 20, max_segment_size=100)
                sock.send(first)
                await until(lambda: intake.column("kind", RecordKind.UNREASSEMBLED))
                sock.send(last)
                await until(lambda: intake.column("kind"))
                sock.send(message(6, b"abcdef" * 20, max_segment_size=100)[0])
                await until(lambda: receiver.stats()["discarded/expired"] == 1)
        assert intake.column("message_id", RecordKind.UNREASSEMBLED) == [5, 6]
        note = msgspec.json.decode(
            intake.column("payload", RecordKind.UNREASSEMBLED)[0], type=UnreassembledNote
        )
        assert (note.segments_had, note.segments_total) == (1, None)
        assert intake.column("message_id") == [5]
        arrivals = intake.column("received_at", None)
        assert arrivals == sorted(arrivals)

    asyncio.run(run())


def test_a_timer_does_not_overtake_what_waits_in_the_socket() -> None:
    async def run() -> None:
        intake, clock = Intake(), Clock()
        clock.set = 1000 * SECOND
        async with listening(intake, clock=clock) as receiver:
            with sender(receiver) as sock:
                first, last = message(5, b"abcdef" * 20, max_segment_size=100)
                sock.send(first)
                assert receiver.drain() == 0
                clock.set += SECOND  # past the notice, and the rest is in the socket
                sock.send(last)
                assert receiver.drain() == 1
        assert intake.column("kind", None) == [RecordKind.DATA]

    asyncio.run(run())


def test_stop_hands_over_what_waits_and_what_is_half_built() -> None:
    async def run() -> None:
        intake = Intake()
        receiver = UdpNotifReceiver(intake, Clock(), port=0, receive_buffer_bytes=200_000)
        await receiver.stop()  # not started: nothing happens
        assert receiver.drain() == 0
        await receiver.start()
        await receiver.start()
        with sender(receiver) as sock:
            sock.send(message(1, b"abcdef" * 20, max_segment_size=100)[0])
            sock.send(message(2)[0])
            await receiver.stop()
            await receiver.stop()
        assert intake.column("kind", None) == [RecordKind.DATA, RecordKind.UNREASSEMBLED]
        assert receiver.drain() == 0

    asyncio.run(run())


# --------------------------------------------------------------------------- back-pressure
def test_a_full_intake_stops_the_reading_and_loses_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def run() -> None:
        intake = Intake()
        intake.full = True
        async with listening(intake) as receiver:
            with sender(receiver) as sock:
                sock.send(message(0)[0])
                await until(lambda: intake.refused >= 3)
                for number in range(1, 200):
                    sock.send(message(number)[0])
                sock.send(message(999, b"abcdef" * 20, max_segment_size=100)[0])
                refused = intake.refused
                assert receiver.drain() == 0
                assert intake.refused == refused + 1, "the kept batch is offered, nothing is read"
                assert receiver.stats()["datagrams"] == 1
                assert receiver.refused
                intake.full = False
                await until(lambda: len(intake.column("kind")) == 200)
                assert not receiver.refused
                await until(lambda: intake.column("kind", RecordKind.UNREASSEMBLED))
        assert intake.column("message_id") == list(range(200))

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    assert "reading pauses: the disk is full" in caplog.text
    assert caplog.text.count("reading pauses") == 1
    assert "reading goes on" in caplog.text


def test_drain_resumes_reading_when_there_is_room_again() -> None:
    async def run() -> None:
        intake = Intake()
        intake.full = True
        async with listening(intake) as receiver:
            with sender(receiver) as sock:
                sock.send(message(0)[0])
                assert receiver.drain() == 0
                sock.send(message(1)[0])
                intake.full = False
                assert receiver.drain() == 2
                sock.send(message(2)[0])
                await until(lambda: len(intake.column("kind")) == 3)

    asyncio.run(run())


def test_what_a_full_intake_costs_at_the_stop_is_said(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        intake = Intake()
        async with listening(intake) as receiver:
            with sender(receiver) as sock:
                sock.send(message(1, b"abcdef" * 20, max_segment_size=100)[0])
                receiver.drain()
                intake.full = True
                sock.send(message(0)[0])

    asyncio.run(run())
    assert "2 records are lost at the stop" in caplog.text


# --------------------------------------------------------------------------- the kernel's buffer
def test_what_the_kernel_drops_is_counted_and_recorded() -> None:
    async def run() -> None:
        intake = Intake()
        async with listening(intake, receive_buffer_bytes=4096) as receiver:
            with sender(receiver) as sock:
                for number in range(500):
                    sock.send(message(number, b"x" * 1000)[0])
                await until(lambda: intake.column("kind", RecordKind.DROPS))
                got = len(intake.column("kind"))
                notes = [
                    msgspec.json.decode(payload, type=DropsNote)
                    for payload in intake.column("payload", RecordKind.DROPS)
                ]
        assert 0 < got < 500
        assert sum(note.count for note in notes) == 500 - got == receiver.kernel_drops
        assert receiver.stats()["kernel-drops"] == 500 - got
        assert {note.where for note in notes} == {"kernel"}
        for note, until_ in zip(notes, intake.column("received_at", RecordKind.DROPS), strict=True):
            assert 0 < note.since <= until_

    asyncio.run(run())


def test_drops_are_seen_while_nothing_arrives() -> None:
    async def run() -> None:
        intake, clock = Intake(), Clock()
        async with listening(intake, clock=clock) as receiver:
            assert receiver._drops is not None
            receiver._drops._counted = (receiver._drops._counted - 3) % 2**32  # as if dropped since
            await until(lambda: intake.column("kind", RecordKind.DROPS))
            assert receiver.kernel_drops == 3

    asyncio.run(run())


def test_what_waits_does_not_look_late_because_something_was_dropped() -> None:
    if not recvmmsg.recvmmsg_usable():
        pytest.skip("without recvmmsg the kernel's times are not known")

    async def run() -> None:
        intake = Intake()
        async with listening(intake, batch=1) as receiver:
            assert receiver._drops is not None
            with sender(receiver) as sock:
                for number in range(8):
                    sock.send(message(number)[0])
                sent = time.time_ns()
                time.sleep(0.3)  # nobody reads: the loop is busy
                receiver._drops._counted = (receiver._drops._counted - 3) % 2**32
                receiver.drain()
        assert intake.column("kind", None) == [RecordKind.DATA] * 8 + [RecordKind.DROPS]
        assert max(intake.column("received_at")) < sent + SECOND // 10
        assert intake.column("received_at", RecordKind.DROPS)[0] > sent + SECOND // 4

    asyncio.run(run())


def test_draining_gives_up_after_a_while_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        intake = Intake()
        async with listening(intake, batch=1) as receiver:
            with sender(receiver) as sock:
                for number in range(4):
                    sock.send(message(number)[0])
                with monkeypatch.context() as patch:
                    patch.setattr(datagrams, "_DRAIN_SECONDS", -1.0)
                    assert (receiver.drain(), receiver.behind) == (1, True)
                assert (receiver.drain(), receiver.behind) == (3, False)

    asyncio.run(run())


def test_a_small_buffer_is_a_clear_warning(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> int:
        async with listening(Intake(), receive_buffer_bytes=1 << 30) as receiver:
            return receiver.granted_receive_buffer

    monkeypatch.setattr(sockets, "_SO_RCVBUFFORCE", 9999)  # as without CAP_NET_ADMIN
    granted = asyncio.run(run())
    assert f"a receive buffer of {granted} octets instead of 1073741824" in caplog.text
    assert "sysctl -w net.core.rmem_max=1073741824" in caplog.text


def test_a_kernel_that_does_not_tell_what_it_drops(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        intake = Intake()
        async with listening(intake) as receiver:
            with sender(receiver) as sock:
                sock.send(message(0)[0])
                await until(lambda: intake.batches)

    for number in (9999, socket.SO_TYPE):  # an unknown option; one that answers too little
        monkeypatch.setattr(sockets, "_SO_MEMINFO", number)
        caplog.clear()
        asyncio.run(run())
        assert "does not tell what it drops" in caplog.text


# --------------------------------------------------------------------------- addresses and errors
@pytest.mark.parametrize(
    ("address", "port", "words"),
    [
        ("router.example", 0, "cannot be listened on"),
        ("192.0.2.77", 0, "cannot listen on 192.0.2.77"),
        ("127.0.0.1", 70000, "no port 70000"),
        ("a" * 70, 0, "cannot be listened on"),
    ],
)
def test_an_address_that_cannot_be_used(address: str, port: int, words: str) -> None:
    receiver = UdpNotifReceiver(Intake(), Clock(), address=address, port=port)
    with pytest.raises(ConfigError, match=words):
        asyncio.run(receiver.start())


def test_a_port_that_is_taken() -> None:
    async def run() -> None:
        async with listening(Intake()) as receiver:
            other = UdpNotifReceiver(Intake(), Clock(), port=receiver.local_port)
            with pytest.raises(ConfigError, match=f"port {receiver.local_port}"):
                await other.start()

    asyncio.run(run())


def test_a_read_that_fails_is_counted_and_does_not_end_anything(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def run() -> None:
        intake = Intake()
        async with listening(intake) as receiver:
            reader = receiver._reader
            assert reader is not None

            class Broken:
                slab = reader.slab

                def read(self) -> tuple[list[str], list[int]]:
                    raise OSError(12, "Cannot allocate memory")

            receiver._reader = Broken()
            for _ in range(5):
                assert receiver.drain() == 0
            receiver._reader = reader
            with sender(receiver) as sock:
                sock.send(message(1)[0])
                await until(lambda: intake.batches)
        assert receiver.stats()["socket-errors"] == 5

    asyncio.run(run())
    assert caplog.text.count("reading failed") == 3, "the first, second and fourth time"


@both_readers
def test_a_message_arrives_when_the_kernel_got_it(either_reader: str) -> None:
    async def run() -> None:
        intake = Intake()
        async with listening(intake) as receiver:
            with sender(receiver) as sock:
                before = time.time_ns()
                sock.send(message(1)[0])
                time.sleep(0.3)  # nobody reads: the loop is busy
                sock.send(message(2)[0])
                receiver.drain()
        first, second = intake.column("received_at")
        if either_reader == "recvmmsg":
            # the clock is read twice on the way from the stamp to our time: microseconds
            assert before - SECOND // 1000 <= first < before + SECOND // 4
            assert second >= first + SECOND // 4
        else:
            assert second == first >= before + SECOND // 4, "the time of reading"

    asyncio.run(run())


def test_a_stamp_is_believed_between_the_last_arrival_and_now() -> None:
    clock = Clock()

    async def run() -> None:
        async with listening(Intake(), clock=clock) as receiver:
            wall = time.time_ns()
            now = clock.set = 5_000 * SECOND
            receiver._arrivals.last = now - SECOND
            stamps = np.array([wall - 3600 * SECOND, 0, wall + 3600 * SECOND], np.int64)
            arrivals = receiver._arrivals.of(stamps, now)
            assert list(arrivals) == [now - SECOND, now, now]
            again = receiver._arrivals.of(np.array([wall - SECOND // 2], np.int64), now)
            assert list(again) == [now], "never back"

    asyncio.run(run())


def test_draining_ends_with_what_came_before_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    if not recvmmsg.recvmmsg_usable():
        pytest.skip("no recvmmsg as laid out for 64-bit glibc here")

    async def run() -> None:
        intake = Intake()
        async with listening(intake, batch=4) as receiver:
            with sender(receiver) as sock:
                # until the kernel stamps, what waits gets its stamp only when it is read
                while (
                    not intake.batches or receiver._reader.slab.stamps[0] > time.time_ns() - 10**7
                ):
                    sock.send(message(99)[0])
                    await asyncio.sleep(0.05)
                    receiver.drain()
                for number in range(12):
                    sock.send(message(number)[0])
                late = time.time_ns()
                with monkeypatch.context() as patch:
                    patch.setattr(time, "time_ns", lambda: late - SECOND)  # began before all
                    assert receiver.drain() == 4, "one batch, to see that the time has come"
                assert receiver.drain() == 8

    asyncio.run(run())


@pytest.mark.parametrize("granted", [100_000, 1 << 24])
def test_reading_pauses_only_where_the_socket_has_room_to_wait(
    granted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[bool] = []
    gather = UdpNotifReceiver._gather

    def counted(receiver: UdpNotifReceiver) -> None:
        gather(receiver)
        pauses.append(receiver._gathering is not None)

    monkeypatch.setattr(UdpNotifReceiver, "_gather", counted)

    async def run() -> None:
        intake = Intake()
        async with listening(intake) as receiver:
            receiver.granted_receive_buffer = granted
            with sender(receiver) as sock:
                for number in range(3):
                    sock.send(message(number)[0])
                    while len(intake.batches) <= number:
                        await asyncio.sleep(0.001)
        assert receiver._gathering is None
        assert intake.column("message_id") == [0, 1, 2]

    asyncio.run(run())
    assert pauses == ([True] * 3 if granted > 2 << 20 else [])


def test_recvmmsg_tells_of_a_socket_that_is_closed() -> None:
    if not recvmmsg.recvmmsg_usable():
        pytest.skip("no recvmmsg as laid out for 64-bit glibc here")
    sock = sockets.open_udp_socket("127.0.0.1", 0)
    reader = RecvmmsgReader(sock, DatagramSlab(4))
    assert [len(column) for column in reader.read()] == [0, 0]
    sock.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        reader.read()


def test_the_loop_reader_stops_at_an_empty_socket() -> None:
    with sockets.open_udp_socket("127.0.0.1", 0) as sock:
        read = LoopReader(sock, DatagramSlab(4)).read()
        assert [len(column) for column in read] == [0, 0]


def test_sources_are_cached_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recvmmsg, "MAX_SOURCES", 2)
    sources = Sources()
    for host in range(1, 6):
        name = b"\x02\x00\x27\x13\xc0\x00\x02" + bytes((host,)) + bytes(20)
        assert sources[name] == (f"192.0.2.{host}", 10003)
        assert len(sources) <= 2
    link_local = b"\x0a\x00\x27\x13" + bytes(4) + b"\xfe\x80" + bytes(13) + b"\x01"
    assert sources[link_local + (1).to_bytes(4, "little")] == ("fe80::1%lo", 10003)
    assert sources[link_local + (99_999).to_bytes(4, "little")] == ("fe80::1%99999", 10003)
    mapped = b"\x0a\x00\x27\x13" + bytes(14) + b"\xff\xff\xc0\x00\x02\x01" + bytes(4)
    assert sources[mapped] == ("192.0.2.1", 10003)


def test_zones_are_not_written_twice() -> None:
    assert address_text("fe80::1%eth0", 3) == "fe80::1%eth0"
    assert address_text("::ffff:0:1") == "::ffff:0:1"
