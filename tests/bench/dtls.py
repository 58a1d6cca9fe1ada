"""CPU time of the receive path over DTLS: records out of a real socket up to ``ReceivedBatch``.

As ``bench.receive``, with publishers that each have a session: what they encrypt, and the system's
part of sending, is not counted.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from collector.receivers.dtls import DtlsReceiver
from collector.service.clock import CollectorClock
from collector.wire.udp_notif.datagrams import encode_message
from tests.bench.receive import ReceiveCost, _Counting, _cpu
from tests.certificates import certified
from tests.dtls_ends import SocketClient, client_context

PUBLISHERS = 8


def bench_dtls(
    messages: int = 50_000, payload_octets: int = 900, max_segment_size: int = 1400
) -> ReceiveCost:
    """Receive ``messages`` messages in rounds that fit into the socket's buffer."""
    return asyncio.run(_bench(messages, b"{" + b"x" * (payload_octets - 1), max_segment_size))


async def _bench(messages: int, payload: bytes, max_segment_size: int) -> ReceiveCost:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        known = certified(Path(folder))
        files = known.sections()
        del files["enabled"], files["port"]
        intake = _Counting()
        receiver = DtlsReceiver(intake, CollectorClock(), port=0, **files)  # type: ignore[arg-type]
        await receiver.start()
        context = client_context(known.authority.file, known.publisher)
        publishers = [SocketClient(context, receiver.local_port) for _ in range(PUBLISHERS)]
        for one in publishers:
            await asyncio.to_thread(one.shake_hands)
    cost, message_id = 0.0, 0
    a_round = max(1, receiver.granted_receive_buffer // (len(payload) + 1400) // 2 // PUBLISHERS)
    while intake.records < messages:
        for _ in range(a_round):
            for one in publishers:
                for datagram in encode_message(
                    payload,
                    media_type=1,
                    publisher_id=1,
                    message_id=message_id,
                    max_segment_size=max_segment_size,
                ):
                    one.send(datagram)
            message_id += 1
        before = _cpu()
        while receiver.drain() or receiver.behind:
            pass
        cost += _cpu() - before
    assert receiver.kernel_drops == 0, "the rounds are larger than the socket's buffer"
    for one in publishers:
        one.socket.close()
    await receiver.stop()
    return ReceiveCost(intake.records, cost)


def bench_handshakes(number: int = 100) -> float:
    """CPU seconds of one handshake, both ends."""
    return asyncio.run(_handshakes(number))


async def _handshakes(number: int) -> float:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        known = certified(Path(folder))
        files = known.sections()
        del files["enabled"], files["port"]
        receiver = DtlsReceiver(_Counting(), CollectorClock(), port=0, **files)  # type: ignore[arg-type]
        await receiver.start()
        context = client_context(known.authority.file, known.publisher)
        before = time.process_time()
        for _ in range(number):
            with SocketClient(context, receiver.local_port) as one:
                await asyncio.to_thread(one.shake_hands)
        cost = time.process_time() - before
        await receiver.stop()
    return cost / number


if __name__ == "__main__":
    for size in (900, 5000):
        print(f"{size} octets: {bench_dtls(payload_octets=size).microseconds:.2f} us a message")
    print(f"handshake, both ends: {bench_handshakes() * 1000:.2f} ms")
