"""Quirks of publishers through the batcher: each switch, and the count that says it is needed."""

from __future__ import annotations

import pytest

from collector.config.types import QuirkName
from collector.model import WIRE_QUIRKS, MediaType, Quirk, RecordKind
from collector.receivers.datagrams import quirks
from collector.receivers.datagrams.batcher import DatagramBatcher
from collector.receivers.datagrams.quirks import Quirks, QuirksNeeded
from tests.unit.test_udp_notif_batcher import PEER, receive
from tests.vectors import udp_notif as vectors

Needed = list[tuple[str, Quirk, bool, int]]
MT_0 = b"\x20" + vectors.EMPTY[1:]
MT_0_OPTIONS = b"\x20" + vectors.OPTIONS[1:]
ARRCUS_OPTIONS = bytes.fromhex("21120013000000000000000801048001f00263")


def batcher(*switches: Quirk, sender: str = PEER) -> DatagramBatcher:
    return DatagramBatcher(quirks={sender: frozenset(switches)} if switches else None)


def needed(of: DatagramBatcher) -> Needed:
    return list(of.counters.quirks.items())


def test_the_configuration_has_the_same_names() -> None:
    assert set(QuirkName.__args__) == set(Quirk)  # type: ignore[attr-defined] # of a Literal
    assert len(WIRE_QUIRKS) == 5


# --------------------------------------------------------------------------- one by one
def test_last_flag_in_the_highest_bit() -> None:
    on, off = batcher(Quirk.LAST_FLAG_IN_TOP_BIT), batcher()
    segments = (vectors.ARRCUS_0, vectors.ARRCUS_1, vectors.ARRCUS_2_LAST)
    (row,) = receive(on, *segments)
    assert (row["payload"], row["segments"]) == (b"abc", 3)
    assert needed(on) == [(PEER, Quirk.LAST_FLAG_IN_TOP_BIT, True, 1)]
    assert [row["kind"] for row in receive(off, *segments)] != [RecordKind.DATA]
    assert needed(off) == [(PEER, Quirk.LAST_FLAG_IN_TOP_BIT, False, 1)]


def test_last_flag_in_the_highest_bit_beside_another_option() -> None:
    on, off = batcher(Quirk.LAST_FLAG_IN_TOP_BIT), batcher()
    first = vectors.ARRCUS_0[:11] + b"\x08" + vectors.ARRCUS_0[12:]
    assert [row["payload"] for row in receive(on, first, ARRCUS_OPTIONS)] == [b"ac"]
    assert (PEER, Quirk.LAST_FLAG_IN_TOP_BIT, True, 1) in needed(on)
    assert receive(off, first, ARRCUS_OPTIONS) != []  # refused: nobody has so many segments
    assert (PEER, Quirk.LAST_FLAG_IN_TOP_BIT, False, 1) in needed(off)


def test_what_keeps_to_the_draft_needs_nothing() -> None:
    misreading = {Quirk.LAST_FLAG_IN_TOP_BIT, Quirk.LEGACY_HEADER}
    for one in (batcher(), batcher(*WIRE_QUIRKS - misreading)):
        refused = [v[0] for name, v in vectors.MALFORMED.items() if "version 0" not in name]
        segment = vectors.VERSION_0_SEGMENT[:1] + vectors.SEGMENT_1[1:]
        receive(one, vectors.A3, vectors.SEGMENT_1, vectors.SEGMENT_2_LAST, vectors.PRIVATE,
                vectors.LEGACY_JSON, segment, *refused)  # fmt: skip
        assert needed(one) == []


def test_media_type_0_as_it_was() -> None:
    on, off = batcher(Quirk.OLD_MEDIA_TYPES), batcher()
    assert [row["media_type"] for row in receive(on, MT_0, MT_0_OPTIONS, vectors.A3)] == [3, 3, 1]
    assert on.counters.unknown_media_types == 0
    assert (PEER, Quirk.OLD_MEDIA_TYPES, True, 2) in needed(on)
    assert [row["media_type"] for row in receive(off, MT_0, MT_0_OPTIONS, vectors.A3)] == [0, 0, 1]
    assert off.counters.unknown_media_types == 2
    assert (PEER, Quirk.OLD_MEDIA_TYPES, False, 2) in needed(off)


def test_media_type_0_of_the_private_space_is_left_alone() -> None:
    on = batcher(Quirk.OLD_MEDIA_TYPES)
    private = (b"\x30" + vectors.EMPTY[1:], b"\x30" + vectors.OPTIONS[1:])
    assert [row["media_type"] for row in receive(on, *private)] == [0, 0]
    assert [name for _, name, _, _ in needed(on)] == [Quirk.UNKNOWN_OPTIONS]


def test_headers_of_version_0_come_in_columns() -> None:
    got = receive(batcher(), vectors.LEGACY_JSON, vectors.VERSION_0, vectors.A3,
                  vectors.VERSION_0_SEGMENT, vectors.VERSION_0_OPTIONS)  # fmt: skip
    assert [row["version"] for row in got] == [0, 0, 1, 0, 0]
    cbor = MediaType.YANG_DATA_CBOR
    assert [row["media_type"] for row in got] == [1, cbor, 1, 1, 2]
    assert [row["payload"] for row in got] == [
        b'{"a:1', b"\xa0", vectors.A3_PAYLOAD, b"a", b"b",
    ]  # fmt: skip
    assert {row["message_id"] for row in got} == {6, 1563}


def test_half_built_messages_of_version_0_say_so() -> None:
    first = vectors.VERSION_0_SEGMENT[:15] + b"\x00" + vectors.VERSION_0_SEGMENT[16:]
    one = batcher()
    receive(one, first)
    assert one.stop(2_000_000_000 * 10**9).version.tolist() == [0]


def test_legacy_headers_with_flags() -> None:
    on, off = batcher(Quirk.LEGACY_HEADER), batcher()
    datagrams = (vectors.LEGACY_FLAGS, vectors.LEGACY_JSON)
    got = receive(on, *datagrams)
    assert [(row["media_type"], row["payload"]) for row in got] == [(2, b"<a/"), (1, b'{"a:1')]
    assert needed(on) == [(PEER, Quirk.LEGACY_HEADER, True, 1)]
    assert [row["kind"] for row in receive(off, *datagrams)] == [RecordKind.REJECTED, 0]
    assert needed(off) == [(PEER, Quirk.LEGACY_HEADER, False, 1)]


def test_several_messages_in_a_datagram() -> None:
    on, off = batcher(Quirk.SEVERAL_MESSAGES), batcher()
    together = vectors.SEGMENT_1 + vectors.A3 + vectors.SEGMENT_2_LAST + vectors.OPTIONS
    datagrams = (vectors.EMPTY, together, vectors.SEGMENT_0, vectors.A3 + b"?")
    got = receive(on, *datagrams)
    assert [row["kind"] for row in got] == [0, 0, 0, 0, RecordKind.REJECTED]
    assert [row["payload"] for row in got[:4]] == [b"", vectors.A3_PAYLOAD, b"<a/", b"abcdefg"]
    assert on.counters.datagrams == 4
    assert (PEER, Quirk.SEVERAL_MESSAGES, True, 1) in needed(on)
    assert [row["kind"] for row in receive(off, *datagrams)] == [0, 2, 2]
    assert needed(off) == [(PEER, Quirk.SEVERAL_MESSAGES, False, 1),
                           (PEER, Quirk.UNKNOWN_OPTIONS, True, 1)]  # fmt: skip


def test_unknown_options_are_counted_kept_or_not() -> None:
    kept, strict = batcher(), DatagramBatcher(strict_sources={PEER})
    receive(kept, vectors.OPTIONS)
    receive(strict, vectors.OPTIONS)
    assert needed(kept) == [(PEER, Quirk.UNKNOWN_OPTIONS, True, 1)]
    assert needed(strict) == [(PEER, Quirk.UNKNOWN_OPTIONS, False, 1)]


def test_switches_may_be_set_later() -> None:
    one = batcher()
    receive(one, vectors.LEGACY_FLAGS)
    one.use_quirks({PEER: {Quirk.LEGACY_HEADER}}, {"192.0.2.9"})
    assert [row["kind"] for row in receive(one, vectors.LEGACY_FLAGS)] == [RecordKind.DATA]
    assert [is_on for _, _, is_on, _ in needed(one)] == [False, True]


# --------------------------------------------------------------------------- whose they are
def test_other_senders_are_read_by_the_draft() -> None:
    one = batcher(*Quirk, sender="192.0.2.99")
    assert receive(one, vectors.A3, vectors.SEGMENT_2_LAST) == receive(
        batcher(), vectors.A3, vectors.SEGMENT_2_LAST
    )


def test_a_certificate_goes_before_an_address() -> None:
    told = Quirks({"192.0.2.1": {Quirk.LEGACY_HEADER}, "certificate:a b": {Quirk.OLD_MEDIA_TYPES}},
                  {"certificate:strict", "192.0.2.3"})  # fmt: skip
    assert told.of("192.0.2.1") == {Quirk.LEGACY_HEADER}
    assert told.of("192.0.2.1 certificate:A b") == {Quirk.OLD_MEDIA_TYPES}
    assert told.of("192.0.2.1 certificate:other") == {Quirk.LEGACY_HEADER}
    assert told.of("192.0.2.2 certificate:other") == frozenset()
    assert told.is_strict("192.0.2.2 certificate:strict")
    assert told.is_strict("192.0.2.3 certificate:other")
    assert not told.is_strict("192.0.2.2")


def test_counts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quirks, "SENDERS_COUNTED", 2)
    counts = QuirksNeeded()
    for number in (1, 2, 3, 4, 1):
        counts.count(f"192.0.2.{number}", Quirk.LEGACY_HEADER, is_on=False)
    assert [(sender, times) for sender, _, _, times in counts.items()] == [
        ("192.0.2.1", 2), ("192.0.2.2", 1), ("other", 2),
    ]  # fmt: skip
