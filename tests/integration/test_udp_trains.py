"""Trains: datagrams that the kernel hands over in one piece are cut up as they were sent."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from collector.receivers.datagrams.batcher import DatagramBatcher
from collector.receivers.sockets import recvmmsg
from collector.receivers.sockets import udp as sockets
from collector.receivers.sockets.recvmmsg import RecvmmsgReader
from collector.receivers.sockets.slab import DatagramSlab
from collector.wire.udp_notif.datagrams import encode_message

pytestmark = pytest.mark.integration
SOL_UDP, UDP_SEGMENT = 17, 103
ROWS = 8


@pytest.fixture
def receiving() -> Iterator[tuple[socket.socket, RecvmmsgReader]]:
    if not recvmmsg.recvmmsg_usable():
        pytest.skip("no recvmmsg as laid out for 64-bit glibc here")
    with sockets.open_udp_socket("127.0.0.1", 0) as sock:
        reader = RecvmmsgReader(sock, DatagramSlab(ROWS))
        if not reader.takes_trains:
            pytest.skip("this kernel does not hand over trains")
        yield sock, reader


def send_train(sender: socket.socket, octets: bytes, size: int, to: tuple[str, int]) -> list[bytes]:
    """Send all of it in one call that the kernel cuts; returns the datagrams."""
    sender.sendmsg([octets], [(SOL_UDP, UDP_SEGMENT, struct.pack("H", size))], 0, to)
    return [octets[start : start + size] for start in range(0, len(octets), size)]


def read_all(reader: RecvmmsgReader) -> list[tuple[int, bytes]]:
    """(source port, datagram) of everything that waits."""
    found = []
    while True:
        peers, ports = reader.read()
        if not peers:
            return found
        slab = reader.slab
        assert len(peers) == len(ports) == len(slab.lengths) == len(slab.stamps)
        assert set(peers) == {"127.0.0.1"}
        assert (slab.stamps > 0).all()
        found += [(port, slab.datagram(row)) for row, port in enumerate(ports)]


def test_trains_of_several_senders_arrive_as_datagrams(
    receiving: tuple[socket.socket, RecvmmsgReader],
) -> None:
    sock, reader = receiving
    chance = random.Random(1)
    longest = 0
    with ExitStack() as stack:
        udp = socket.AF_INET, socket.SOCK_DGRAM
        senders = [stack.enter_context(socket.socket(*udp)) for _ in range(3)]
        for _ in range(40):
            sent = []
            for _ in range(2 * ROWS):
                sender = chance.choice(senders)
                size = chance.choice([17, 100, 900])
                many, last = chance.randrange(20), chance.randrange(1, size + 1)
                whole = chance.randbytes(size * many + last)
                parts = send_train(sender, whole, size, sock.getsockname())
                sent += [(sender.getsockname()[1], part) for part in parts]
            peers, _ = reader.read()
            longest = max(longest, len(peers))
            first = [reader.slab.datagram(row) for row in range(len(peers))]
            assert [*first, *(part for _, part in read_all(reader))] == [part for _, part in sent]
    assert longest > ROWS  # trains did come


def test_messages_of_a_train_make_a_batch(
    receiving: tuple[socket.socket, RecvmmsgReader],
) -> None:
    """Whole messages, a last one that is shorter, and one whose length is wrong."""
    sock, reader = receiving
    datagrams = [
        encode_message(b"%03d" % number * 100, media_type=1, publisher_id=7, message_id=number)[0]
        for number in range(12)
    ]
    datagrams.append(
        encode_message(b"short", media_type=1, publisher_id=7, message_id=12)[0],
    )
    wrong = bytearray(b"".join(datagrams))
    wrong[3 * len(datagrams[0]) + 3] ^= 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        send_train(sender, bytes(wrong), len(datagrams[0]), sock.getsockname())
    peers, ports = reader.read()
    batcher = DatagramBatcher()
    batch = batcher.receive(reader.slab, [5] * len(peers), peers, ports)
    assert [number for number in batch.message_id if number] == [1, 2, *range(4, 13)]
    assert batch.payload[-1] == b"short"
    assert batch.payload[1] == b"001" * 100
    assert sum(batcher.counters.rejected.values()) == 1


def test_an_empty_datagram_is_one(receiving: tuple[socket.socket, RecvmmsgReader]) -> None:
    sock, reader = receiving
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"", sock.getsockname())
        send_train(sender, bytes(60), 20, sock.getsockname())
        sender.sendto(b"", sock.getsockname())
    assert [part for _, part in read_all(reader)] == [b"", *[bytes(20)] * 3, b""]


def test_fewer_rows_are_read_at_once_while_trains_come(
    receiving: tuple[socket.socket, RecvmmsgReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recvmmsg, "_ROWS_AT_LEAST", 2)
    monkeypatch.setattr(recvmmsg, "_DATAGRAMS_A_READ", 20)
    sock, reader = receiving
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(ROWS):
            send_train(sender, bytes(100), 10, sock.getsockname())
        assert len(reader.read()[0]) == 10 * ROWS
        assert reader.more
        for _ in range(3):
            send_train(sender, bytes(100), 10, sock.getsockname())
        assert len(reader.read()[0]) == 20
        assert reader.more
        assert len(reader.read()[0]) == 10
        assert not reader.more


def test_where_no_stamps_come_no_trains_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A train's size would come in the place of the stamp, and the train be one wrong message."""
    if not recvmmsg.recvmmsg_usable():
        pytest.skip("no recvmmsg as laid out for 64-bit glibc here")
    monkeypatch.setattr(recvmmsg, "stamp_arrivals", lambda sock: False)
    with (
        sockets.open_udp_socket("127.0.0.1", 0) as sock,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        reader = RecvmmsgReader(sock, DatagramSlab(ROWS))
        send_train(sender, bytes(60), 20, sock.getsockname())
        peers, _ = reader.read()
        assert [reader.slab.datagram(row) for row in range(len(peers))] == [bytes(20)] * 3


def test_trains_are_cut_where_datagrams_end() -> None:
    slab = DatagramSlab(4)
    rows = slab.split(
        np.array([10, 0, 7], np.uint32), np.array([1, 2, 3]), np.array([4, 1, 7], np.int64)
    )
    assert rows.tolist() == [0, 0, 0, 1, 2]
    assert slab.lengths.tolist() == [4, 4, 2, 0, 7]
    assert slab.stamps.tolist() == [1, 1, 1, 2, 3]
