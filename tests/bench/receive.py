"""CPU time of the receive path: datagrams out of a real socket up to ``ReceivedBatch``.

The sender fills the socket's buffer first and its time is not counted; the kernel's work of
delivering on loopback falls on the sender too.
"""

from __future__ import annotations

import asyncio
import socket
import time
from typing import NamedTuple

from collector.model import ReceivedBatch
from collector.receivers.udp_notif import UdpNotifReceiver
from collector.service.clock import CollectorClock
from collector.wire.udp_notif.datagrams import encode_message


class ReceiveCost(NamedTuple):
    """What one run cost."""

    messages: int
    cpu_seconds: float

    @property
    def microseconds(self) -> float:
        """CPU time of one message."""
        return self.cpu_seconds / self.messages * 1e6


class _Counting:
    """An intake that keeps nothing."""

    def __init__(self) -> None:
        self.records = 0

    def take(self, batch: ReceivedBatch) -> int:
        self.records += len(batch)
        return self.records

    async def committed(self, offset: int) -> None:
        raise NotImplementedError


def bench_receive(
    messages: int = 100_000, payload_octets: int = 900, max_segment_size: int = 1400
) -> ReceiveCost:
    """Receive ``messages`` messages in rounds that fit into the socket's buffer."""
    return asyncio.run(_bench(messages, b"{" + b"x" * (payload_octets - 1), max_segment_size))


async def _bench(messages: int, payload: bytes, max_segment_size: int) -> ReceiveCost:
    intake = _Counting()
    receiver = UdpNotifReceiver(intake, CollectorClock(), port=0)
    await receiver.start()
    cost, message_id = 0.0, 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", receiver.local_port))
        # a datagram of 1,000 octets is charged 2,304; half of the buffer is a safe round
        a_round = max(1, receiver.granted_receive_buffer // (len(payload) + 1400) // 2)
        while intake.records < messages:
            for _ in range(a_round):
                for datagram in encode_message(
                    payload,
                    media_type=1,
                    publisher_id=1,
                    message_id=message_id,
                    max_segment_size=max_segment_size,
                ):
                    sender.send(datagram)
                message_id += 1
            before = _cpu()
            receiver.drain()
            cost += _cpu() - before
    assert receiver.kernel_drops == 0, "the rounds are larger than the socket's buffer"
    await receiver.stop()
    return ReceiveCost(intake.records, cost)


def _cpu() -> float:
    return time.process_time()  # all threads; getrusage moves in steps of a timer tick


if __name__ == "__main__":
    for size in (900, 5000):
        result = bench_receive(payload_octets=size)
        print(f"{size} octets: {result.microseconds:.2f} us of CPU a message")
