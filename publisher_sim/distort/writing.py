"""Messages -> packets of a capture, truth -> lines of a file.

Does: encode headers and segments again with the new ids, leave out lost datagrams. The truth file
is JSON lines: a header, then one line for each originator and period (``truth.PeriodTruth``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

from collector.wire.captures.packets import UdpPacket
from collector.wire.udp_notif.datagrams import MAX_PAYLOAD_IPV4, encode_message
from publisher_sim.distort.messages import Message
from publisher_sim.distort.payload import rewrite
from publisher_sim.distort.truth import PeriodTruth

FORMAT = "publisher-sim-distort-truth"
VERSION = 1


class Header(Struct, frozen=True):
    """First line of the truth file."""

    capture: str
    seed: int
    faults: dict[str, object]
    """What was asked for, without defaults."""
    periods: dict[str, int]
    """subscription id -> ns."""
    rows: int
    format: str = FORMAT
    version: int = VERSION


def packets(messages: Iterable[Message]) -> list[UdpPacket]:
    """The datagrams that arrive, in order.

    Raises:
        ValueError: a message that cannot be written.
    """
    found = [packet for one in messages for packet in _packets(one)]
    found.sort(key=lambda packet: packet.time_ns)
    return found


def _packets(message: Message) -> Iterable[UdpPacket]:
    captured = message.captured
    payload = rewrite(message)
    assert captured is not None  # rewrite refuses the others
    longest = captured.longest if message.datagrams > 1 else MAX_PAYLOAD_IPV4
    parts = encode_message(
        payload,
        media_type=captured.media_type,
        publisher_id=message.publisher_id,
        message_id=message.message_id,
        private_space=captured.private_space,
        options=captured.options,
        max_segment_size=longest,
    )
    kept = _kept(message, len(parts))
    for number in kept:
        offset = captured.offsets[min(number, len(captured.offsets) - 1)]
        yield UdpPacket(
            message.at + offset,
            message.source,
            message.port,
            captured.destination,
            captured.destination_port,
            parts[number],
        )


def _kept(message: Message, count: int) -> list[int]:
    """Which datagrams arrive; a message that comes half stays half when its length changed."""
    kept = [number for number in range(count) if number not in message.lost]
    if message.lost and len(kept) == count:
        kept = kept[:-1]
    return kept


def truth_lines(header: Header, rows: Sequence[PeriodTruth]) -> Iterable[bytes]:
    """Lines of the truth file, each with its end."""
    encoder = msgspec.json.Encoder()
    for one in (header, *rows):
        yield encoder.encode(one) + b"\n"
