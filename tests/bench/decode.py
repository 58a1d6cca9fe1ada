"""CPU microseconds to decode the envelope of a 900-octet push-update, and to read it whole.

The JSON message is as routers send it: without blanks, in the envelope, with both times, host,
sequence number and originator id.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from collector.model import DeviceTime, MediaType, Notification, NotificationKind
from collector.wire.notifications.notification import decode, decode_contents, encode
from collector.wire.values import names

_COUNTERS = (
    "in-octets", "in-unicast-pkts", "in-broadcast-pkts", "in-multicast-pkts", "in-discards",
    "in-errors", "out-octets", "out-unicast-pkts", "out-broadcast-pkts",
)  # fmt: skip


class DecodeCost(NamedTuple):
    """CPU time of one message."""

    media_type: int
    octets: int
    """Of the message."""
    envelope_microseconds: float
    whole_microseconds: float
    """Contents as plain values."""


def push_update(media_type: int, octets: int = 900) -> bytes:
    """About ``octets`` octets in JSON, or the same contents in another encoding."""
    notification = Notification(
        kind=NotificationKind.PUSH_UPDATE,
        name="ietf-yang-push:push-update",
        root=names.ROOT_ENVELOPE,
        subscription_id=4711,
        event_time=DeviceTime(1_742_009_138_252_679_191),
        observation_time=DeviceTime(1_742_009_138_250_000_000),
        point_in_time="current-accounting",
        generator="16974853",
        hostname="core7.example.net",
        sequence_number=1_000_000_000,
    )
    contents: dict[str, Any] = {"ietf-interfaces:interfaces": {"interface": []}}
    entries = contents["ietf-interfaces:interfaces"]["interface"]
    number = 0
    while True:
        number += 1
        statistics = {name: str(10_000_000_000 + number) for name in _COUNTERS[: 3 + number % 7]}
        entries.append({"name": f"eth0/{number}", "oper-status": "up", "statistics": statistics})
        if len(encode(notification, contents, MediaType.YANG_DATA_JSON)) >= octets - 60:
            return encode(notification, contents, media_type)


def bench_decode(messages: int = 20_000) -> list[DecodeCost]:
    """Decode ``messages`` messages in every encoding."""
    costs = []
    for media_type in MediaType:
        payload = push_update(media_type)
        count = messages if media_type is MediaType.YANG_DATA_JSON else messages // 10
        costs.append(
            DecodeCost(
                int(media_type), len(payload),
                _microseconds(decode, payload, media_type, count),
                _microseconds(decode_contents, payload, media_type, max(1, count // 4)),
            )
        )  # fmt: skip
    return costs


def _microseconds(read: Any, payload: bytes, media_type: int, count: int) -> float:
    read(payload, media_type)
    start = time.process_time_ns()
    for _ in range(count):
        read(payload, media_type)
    return (time.process_time_ns() - start) / count / 1000


if __name__ == "__main__":
    for cost in bench_decode():
        print(
            f"{MediaType(cost.media_type).name}: {cost.octets} octets, envelope "
            f"{cost.envelope_microseconds:.2f} us, whole {cost.whole_microseconds:.1f} us"
        )
