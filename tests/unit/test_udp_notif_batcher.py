"""``receivers.datagrams.batcher``: rows, order, refusals, counters; no socket."""

from __future__ import annotations

import msgspec
import pytest

from collector.core.assembly.segments import ReassemblyLimits
from collector.model import (
    FLAG_IDS,
    FLAG_PRIVATE,
    SECOND,
    ReceivedBatch,
    RecordKind,
    RejectedNote,
    Transport,
    UnreassembledNote,
)
from collector.receivers.datagrams.batcher import Datagram, DatagramBatcher
from collector.receivers.sockets.slab import ROW_OCTETS, DatagramSlab
from collector.wire.udp_notif.datagrams import encode_message
from tests.vectors import udp_notif as vectors

T0 = 1_700_000_000 * SECOND
PEER, PORT = "192.0.2.1", 10003
SLAB = DatagramSlab(8)

Row = dict[str, object]


def rows(batches: list[ReceivedBatch]) -> list[Row]:
    names = ReceivedBatch.__slots__
    return [
        dict(zip(names, values, strict=True))
        for batch in batches
        for values in zip(*(getattr(batch, name) for name in names), strict=True)
    ]


def receive(batcher: DatagramBatcher, *datagrams: bytes, now: int = T0) -> list[Row]:
    timed: list[Datagram] = [(now, PEER, PORT, datagram) for datagram in datagrams]
    return rows(list(batcher.receive_datagrams(timed, SLAB)))


def test_every_column_of_a_whole_message() -> None:
    (row,) = receive(DatagramBatcher(), vectors.A3)
    assert row == {
        "received_at": T0,
        "kind": RecordKind.DATA,
        "transport": Transport.UDP_NOTIF,
        "session": "",
        "peer": PEER,
        "port": PORT,
        "version": 1,
        "flags": FLAG_IDS,
        "media_type": 1,
        "publisher_id": 2,
        "message_id": 1563,
        "segments": 1,
        "options": b"",
        "payload": vectors.A3_PAYLOAD,
    }
    assert [type(value) for value in row.values()].count(bytes) == 2


def test_a_message_with_options_and_a_private_one() -> None:
    batcher = DatagramBatcher()
    options, private = receive(batcher, vectors.OPTIONS, vectors.PRIVATE)
    assert options["options"] == bytes.fromhex("f0020205616263")
    assert (options["payload"], options["media_type"], options["segments"]) == (b"<a/", 2, 1)
    assert (private["flags"], private["media_type"]) == (FLAG_IDS | FLAG_PRIVATE, 15)
    assert batcher.counters.unknown_options == {240: 1, 2: 1}
    assert batcher.counters.unknown_media_types == 1
    assert batcher.stats()["unknown-options"] == 2


def test_unknown_media_types_are_kept_and_counted() -> None:
    batcher = DatagramBatcher()
    reserved = b"\x20" + vectors.EMPTY[1:]
    unassigned = b"\x24" + vectors.EMPTY[1:]
    with_options = b"\x32" + vectors.OPTIONS[1:]
    got = receive(batcher, reserved, unassigned, with_options, vectors.EMPTY)
    assert [row["media_type"] for row in got] == [0, 4, 2, 3]
    assert [row["flags"] for row in got] == [2, 2, 3, 2]
    assert batcher.counters.unknown_media_types == 3


def test_a_segmented_message_stands_where_its_last_missing_segment_came() -> None:
    other = encode_message(b"x", media_type=1, publisher_id=9, message_id=1)[0]
    batcher = DatagramBatcher()
    got = receive(
        batcher,
        vectors.SEGMENT_2_LAST,
        vectors.A3,
        vectors.SEGMENT_0,
        other,
        vectors.SEGMENT_1,
        other,
    )
    assert [row["publisher_id"] for row in got] == [2, 9, 5, 9]
    message = got[2]
    assert message["payload"] == b"abcdefg"
    assert message["segments"] == 3
    assert message["options"] == bytes.fromhex("f002")
    assert (message["flags"], message["media_type"], message["version"]) == (FLAG_IDS, 1, 1)
    assert batcher.stats() | {"octets": 0} == batcher.stats() | {
        "datagrams": 6,
        "octets": 0,
        "messages": 4,
        "segments": 3,
        "half-built": 0,
    }


def test_private_segments_keep_their_flag() -> None:
    first = b"\x3f\x10\x00\x11" + bytes(8) + b"\x01\x04\x00\x00a"
    last = b"\x3f\x10\x00\x11" + bytes(8) + b"\x01\x04\x00\x03b"
    batcher = DatagramBatcher()
    (row,) = receive(batcher, first, last)
    assert (row["payload"], row["flags"], row["media_type"]) == (b"ab", 3, 15)
    assert batcher.counters.unknown_media_types == 1


def test_a_half_built_message_becomes_a_record_at_its_deadline() -> None:
    batcher = DatagramBatcher()
    later = T0 + 5 * SECOND
    timed: list[Datagram] = [
        (T0, PEER, PORT, vectors.SEGMENT_0),
        (T0 + 1, PEER, PORT, vectors.SEGMENT_2_LAST),
        (later, PEER, PORT, vectors.A3),
        (later, PEER, PORT, vectors.SEGMENT_1),
    ]
    half_built, whole, late = rows(list(batcher.receive_datagrams(timed, SLAB)))
    assert half_built["received_at"] == T0 + SECOND // 2
    assert half_built["kind"] == RecordKind.UNREASSEMBLED
    note = msgspec.json.decode(half_built["payload"], type=UnreassembledNote)  # type: ignore[arg-type] # bytes
    assert note == UnreassembledNote(first_arrival=T0, segments_had=2, segments_total=3)  # type: ignore[arg-type] # int
    assert (half_built["publisher_id"], half_built["message_id"]) == (5, 6)
    assert (half_built["peer"], half_built["port"], half_built["flags"]) == (PEER, PORT, FLAG_IDS)
    assert (half_built["segments"], half_built["version"]) == (2, 1)
    assert whole["payload"] == vectors.A3_PAYLOAD
    assert late["payload"] == b"abcdefg"
    assert batcher.counters.half_built == 1


def test_stop_tells_what_is_half_built() -> None:
    batcher = DatagramBatcher()
    assert receive(batcher, vectors.SEGMENT_0) == []
    assert batcher.next_deadline() == T0 + SECOND // 2
    (row,) = rows([batcher.stop(T0 + 1)])
    assert (row["kind"], row["received_at"]) == (RecordKind.UNREASSEMBLED, T0 + 1)
    assert batcher.discarded["stopped"] == 1
    assert batcher.next_deadline() is None


# --------------------------------------------------------------------------- refusals
@pytest.mark.parametrize("name", vectors.MALFORMED)
def test_a_refused_datagram_becomes_a_record(name: str) -> None:
    datagram, reason, _, _ = vectors.MALFORMED[name]
    batcher = DatagramBatcher()
    before, row, after = receive(batcher, vectors.A3, datagram, vectors.A3)
    assert before == after, "the valid traffic around it is not lost"
    assert row["kind"] == RecordKind.REJECTED
    note = msgspec.json.decode(row["payload"], type=RejectedNote)  # type: ignore[arg-type] # bytes
    assert note.reason == reason
    assert note.detail.endswith(tuple("0123456789"))
    assert (row["peer"], row["port"], row["transport"]) == (PEER, PORT, Transport.UDP_NOTIF)
    believable = reason in ("bad-option", "bad-segmentation")
    assert row["flags"] == (FLAG_IDS if believable else 0)
    assert (row["publisher_id"], row["message_id"]) == ((5, 6) if believable else (0, 0))
    assert row["version"] == (datagram[0] >> 5 if datagram else 0)
    assert batcher.counters.rejected == {reason: 1}
    assert batcher.stats()[f"rejected/{reason}"] == 1


def test_unknown_options_are_refused_for_strict_sources_only() -> None:
    batcher = DatagramBatcher(strict_sources=frozenset({PEER}))
    timed: list[Datagram] = [
        (T0, PEER, PORT, vectors.OPTIONS),
        (T0, "192.0.2.2", PORT, vectors.OPTIONS),
        (T0, PEER, PORT, vectors.SEGMENT_1_LAST),
    ]
    refused, kept = rows(list(batcher.receive_datagrams(timed)))
    assert (refused["kind"], refused["flags"]) == (RecordKind.REJECTED, FLAG_IDS)
    assert (refused["publisher_id"], refused["message_id"]) == (10, 11)
    assert kept["kind"] == RecordKind.DATA
    assert batcher.counters.rejected == {"unknown-option": 1}
    assert batcher.counters.segments == 1, "segmentation is a known option"


def test_records_of_refusals_are_limited_but_all_are_counted() -> None:
    batcher = DatagramBatcher(rejected_per_second=3)
    timed: list[Datagram] = [(T0 + n * SECOND // 5, PEER, PORT, b"?") for n in range(10)]
    got = rows(list(batcher.receive_datagrams(timed, SLAB)))
    assert [row["received_at"] for row in got] == [T0 + n * SECOND // 5 for n in (0, 1, 2, 5, 6, 7)]
    assert batcher.counters.rejected == {"too-short": 10}
    assert batcher.counters.rejected_unrecorded == 4


def test_a_time_that_goes_back_counts_as_the_time_before() -> None:
    timed: list[Datagram] = [(T0, PEER, PORT, vectors.A3), (T0 - 5, PEER, PORT, vectors.A3)]
    got = rows(list(DatagramBatcher().receive_datagrams(timed)))
    assert [row["received_at"] for row in got] == [T0, T0]


def test_nothing_gives_nothing() -> None:
    batcher = DatagramBatcher()
    assert list(batcher.receive_datagrams([], SLAB)) == []
    assert len(batcher.handle_timer(T0)) == 0
    assert len(batcher.stop(T0)) == 0


def test_the_notice_may_come_at_once() -> None:
    batcher = DatagramBatcher(ReassemblyLimits(notice=0))
    got = receive(batcher, vectors.SEGMENT_0, vectors.SEGMENT_1)
    assert [row["kind"] for row in got] == [RecordKind.UNREASSEMBLED]


def test_a_window_that_ends_without_anything_new_to_say() -> None:
    batcher = DatagramBatcher()
    receive(batcher, vectors.SEGMENT_0)
    assert len(batcher.handle_timer(T0 + SECOND)) == 1
    assert [row["kind"] for row in receive(batcher, vectors.A3, now=T0 + 60 * SECOND)] == [0]
    assert batcher.discarded["expired"] == 1


# --------------------------------------------------------------------------- the slab
def test_a_slab_holds_the_longest_datagram() -> None:
    slab = DatagramSlab(2)
    assert len(slab) == 2
    slab.put(0, b"a" * 65527)
    slab.put(1, b"b")
    assert slab.datagram(0) == b"a" * 65527
    assert slab.datagram(1) == b"b"
    assert slab.octets.shape == (2, ROW_OCTETS)


def test_a_slab_has_rows() -> None:
    with pytest.raises(ValueError):
        DatagramSlab(0)
