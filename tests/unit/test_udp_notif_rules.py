"""What draft-ietf-netconf-udp-notif-26 demands of a receiver, clause by clause.

Here is what no other test says in the draft's own numbers; the octets are in
``test_udp_notif_header``, reassembly in ``test_reassembly_*``, lost and doubled ids in
``test_core_message_ids``.
"""

from __future__ import annotations

import random

import pytest

from collector.config import ReassemblySettings, parse_config
from collector.core.assembly.segments import ReassemblyLimits
from collector.model import SECOND, MediaType, RecordKind
from collector.pipeline.settings import reassembly_limits
from collector.receivers.datagrams.batcher import Datagram, DatagramBatcher
from collector.wire.udp_notif.datagrams import encode_message
from tests.unit.test_udp_notif_batcher import PEER, PORT, T0, receive, rows
from tests.vectors import udp_notif as vectors

SMALLEST = parse_config("[reassembly]\nmax_segments = 64\nmax_message_bytes = 98304")


def segmented(octets: int, segments: int) -> list[bytes]:
    size = -(-octets // segments) + 16
    sent = encode_message(
        b"x" * octets, media_type=1, publisher_id=1, message_id=2, max_segment_size=size
    )
    assert len(sent) == segments
    return sent


@pytest.mark.parametrize(
    "limits", [ReassemblyLimits(), reassembly_limits(SMALLEST)], ids=["default", "smallest"]
)
@pytest.mark.parametrize("shuffled", [False, True])
def test_96_kilobytes_in_64_segments_in_any_order(limits: ReassemblyLimits, shuffled: bool) -> None:
    """§5.2: MUST support at least 96 KB and at least 64 segments; §4.1: unordered segments."""
    sent = segmented(96 * 1024, 64)
    if shuffled:
        random.Random(7).shuffle(sent)
    (row,) = receive(DatagramBatcher(limits), *sent)
    assert (row["segments"], row["payload"]) == (64, b"x" * 98_304)


def test_more_segments_than_configured_are_discarded() -> None:
    """§5.2: incomplete messages exceeding the configured limit MUST be discarded."""
    batcher = DatagramBatcher(reassembly_limits(SMALLEST))
    got = receive(batcher, *segmented(6500, 65), vectors.A3)
    assert [row["kind"] for row in got] == [RecordKind.UNREASSEMBLED, RecordKind.DATA]
    assert batcher.discarded["too-many-segments"] == 65


def test_the_window_is_10_seconds_and_never_above_20() -> None:
    """§5.2: SHOULD occur within 10 s and MUST NOT exceed 20 s."""
    assert ReassemblySettings().window_seconds == 10
    first, last = segmented(100, 2)
    for seconds, whole in ((9.9, 1), (10.0, 0)):
        timed: list[Datagram] = [
            (T0, PEER, PORT, first), (T0 + round(seconds * SECOND), PEER, PORT, last)
        ]  # fmt: skip
        got = rows(list(DatagramBatcher().receive_datagrams(timed)))
        assert [row["kind"] for row in got].count(RecordKind.DATA) == whole


def test_duplicates_are_dropped_silently() -> None:
    """§4.1: MUST drop; §5.1: MUST NOT count as delivery failures."""
    sent = segmented(600, 3)
    batcher = DatagramBatcher()
    got = receive(batcher, sent[0], sent[0], sent[1], sent[2], sent[1])
    assert [row["kind"] for row in got] == [RecordKind.DATA]
    batcher.stop(T0)
    assert batcher.discarded["duplicate"] == 2
    assert batcher.counters.half_built == 0
    assert batcher.counters.rejected == {}


def test_exactly_one_message_in_a_datagram() -> None:
    """§3: one message or segment; the length says so to the octet."""
    batcher = DatagramBatcher()
    receive(batcher, vectors.A3 + b"\0", vectors.A3[:-1], vectors.A3 + vectors.A3)
    assert batcher.counters.rejected == {"bad-message-length": 3}


def test_all_media_types_of_the_registry_and_no_other_are_known() -> None:
    """§8.1.1: 1, 2 and 3; 0 is reserved and MUST NOT be used."""
    batcher = DatagramBatcher()
    for media_type in range(16):
        receive(batcher, bytes([0x20 | media_type]) + vectors.EMPTY[1:])
    assert batcher.counters.unknown_media_types == 16 - 3
    assert {MediaType.YANG_DATA_JSON, MediaType.YANG_DATA_XML, MediaType.YANG_DATA_CBOR} == {
        1,
        2,
        3,
    }


def test_options_of_the_first_segment_are_those_of_the_message() -> None:
    """§4.1: they are appended to the new header; the others MAY repeat them."""
    again = bytes.fromhex("21120014000000050000000601040003f0026364")
    (row,) = receive(DatagramBatcher(), again, vectors.SEGMENT_0)
    assert (row["options"], row["payload"]) == (b"\xf0\x02", b"abcd")


def test_the_source_address_tells_equal_publisher_ids_apart() -> None:
    """§3.2: where publisher ids are not unique the source address MUST be used in addition."""
    first, last = segmented(100, 2)
    timed: list[Datagram] = [(T0, "192.0.2.1", PORT, first), (T0, "192.0.2.2", PORT, last)]
    assert rows(list(DatagramBatcher().receive_datagrams(timed))) == []
