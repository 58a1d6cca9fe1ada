"""Captures of real publishers: what every complete message says, against an independent decoder."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from collector import fast
from collector.model import Notification, NotificationKind, RecordKind
from collector.receivers.datagrams.batcher import DatagramBatcher
from collector.wire.captures.pcap import CaptureReader
from collector.wire.encodings import json_updates
from collector.wire.notifications.notification import decode, decode_contents
from tests.envelope_rows import CORES, check_batch, core
from tests.fast_columns import envelope_rows
from tests.reference.notification import naive_decode, naive_xml_of

CAPTURES = Path(
    os.environ.get("YANG_PUSH_CAPTURES", Path(__file__).parents[3] / "shared" / "captures")
)
FILES = sorted(CAPTURES.glob("*.pcap"))

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not FILES, reason=f"no captures in {CAPTURES} (set YANG_PUSH_CAPTURES)"),
]
each_capture = pytest.mark.parametrize("capture", FILES, ids=lambda path: path.stem)


def expected_of(capture: Path) -> list[dict[str, Any]]:
    lines = Path(f"{capture}.expected.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@cache
def messages(capture: Path) -> list[tuple[int, bytes]]:
    """(media type, payload) of every complete message."""
    ports = {line["dport"] for line in expected_of(capture)}
    with capture.open("rb") as file:
        datagrams = [
            (packet.time_ns, packet.source, packet.source_port, packet.payload)
            for packet in CaptureReader(file)
            if packet.destination_port in ports
        ]
    return [
        (batch.media_type[row], batch.payload[row])
        for batch in DatagramBatcher().receive_datagrams(datagrams)
        for row in range(len(batch))
        if batch.kind[row] == RecordKind.DATA
    ]


def capture_named(part: str) -> Path:
    return next(path for path in FILES if part in path.name)


@each_capture
def test_every_message_says_what_is_expected(capture: Path) -> None:
    expected = expected_of(capture)
    got = [decode(payload, media_type) for media_type, payload in messages(capture)]
    assert len(got) == len(expected)
    for notification, line in zip(got, expected, strict=True):
        assert line["parse_error"] is None
        naive = naive_decode({line["top"]: {"eventTime": line["event_time"]}}, strict=False)
        assert {
            "kind": notification.kind.value,
            "subscription_id": notification.subscription_id,
            "event_time": notification.event_time,
            "host": notification.hostname,
            "seq": notification.sequence_number,
            "top": notification.root,
        } == {
            "kind": line["kind"],
            "subscription_id": line["subscription_id"],
            "event_time": naive["event_time"],
            "host": line["host"],
            "seq": line["seq"],
            "top": line["top"],
        }


@each_capture
def test_the_naive_reader_agrees_on_every_member(capture: Path) -> None:
    for media_type, payload in messages(capture):
        message = decode_contents(payload, media_type)
        notification = decode(payload, media_type)
        naive = naive_decode(message)
        assert {name: getattr(notification, name) for name in naive} == naive


@each_capture
def test_the_same_message_in_xml_says_the_same(capture: Path) -> None:
    for media_type, payload in messages(capture):
        message = decode_contents(payload, media_type)
        in_json = decode(payload, media_type)
        in_xml = decode(naive_xml_of(message), 2)
        for name in Notification.__struct_fields__:
            if name not in ("state_change", "name"):
                assert getattr(in_xml, name) == getattr(in_json, name), name
        if in_json.state_change is not None:
            assert in_xml.state_change is not None
            assert in_xml.state_change.generators == in_json.state_change.generators
            assert in_xml.state_change.reason == in_json.state_change.reason


@each_capture
def test_updates_take_the_typed_way(capture: Path) -> None:
    if "cbor" in capture.name:
        return  # which has one way only
    for _, payload in messages(capture):
        notification = decode(payload, 1)
        typed = json_updates.read_typed(payload)
        assert typed == (notification if notification.state_change is None else None)


@each_capture
@pytest.mark.parametrize("name", CORES)
def test_a_capture_as_one_batch(capture: Path, name: str) -> None:
    kinds, payloads = zip(*messages(capture), strict=True)
    with core(name):
        check_batch(payloads, kinds)


@each_capture
def test_updates_take_the_compiled_way(capture: Path) -> None:
    if fast.native is None:
        pytest.skip("the compiled core is not built")
    if "cbor" in capture.name:
        return  # which it does not know
    payloads = [payload for _, payload in messages(capture)]
    unusual = [row is None for row in envelope_rows(fast.native, payloads)]
    assert unusual == [json_updates.read_typed(payload) is None for payload in payloads]


@pytest.mark.skipif(fast.native is None, reason="the compiled core is not built")
@each_capture
def test_updates_in_xml_take_the_compiled_way(capture: Path) -> None:
    documents = [
        naive_xml_of(decode_contents(payload, media_type))
        for media_type, payload in messages(capture)
        if decode(payload, media_type).state_change is None
    ]
    assert None not in envelope_rows(fast.native, documents, [2] * len(documents))


def test_originators_of_the_multi_originator_capture() -> None:
    got = [decode(payload, kind) for kind, payload in messages(capture_named("ipf-zbl1243"))]
    updates = [n for n in got if n.kind is NotificationKind.PUSH_UPDATE]
    assert Counter(n.generator for n in updates if n.subscription_id == 1).keys() == {
        "16974839", "16973828", "16974853",
    }  # fmt: skip
    assert {n.point_in_time for n in updates} == {"current-accounting"}


def test_lists_and_terms_of_the_state_changes() -> None:
    got = [decode(payload, kind) for kind, payload in messages(capture_named("NE8000"))]
    changes = [n.state_change for n in got if n.state_change is not None]
    lists = [change.generators for change in changes if change.terms is not None]
    assert lists == [("16974839", "16973828", "16974828"), ("16974841",), ("16974839",)]
    terms = [change.terms for change in changes if change.terms is not None]
    assert [t.period for t in terms] == [60_000_000_000, None, 60_000_000_000]
    assert terms[1].on_change is not None
    assert terms[1].module_versions == (("huawei-ifm", "2024-07-25", "1.0.0"),)
    assert {change.reason for change in changes if change.terms is None} == {"receiver-unavailable"}
    (six_wind, *_) = [
        n.state_change
        for n in (decode(p, k) for k, p in messages(capture_named("6wind-vsr-yang-push-20250304")))
        if n.kind is NotificationKind.SUBSCRIPTION_STARTED
    ]
    assert six_wind is not None
    assert six_wind.generators == ("0",)
    assert six_wind.yang_library_content_id == "3625735881"
    assert six_wind.terms is not None
    assert (six_wind.terms.transport, six_wind.terms.encoding) == ("udp-notif", "encode-json")
    olt = [
        n.state_change
        for n in (decode(p, k) for k, p in messages(capture_named("MA5800T")))
        if n.kind is NotificationKind.SUBSCRIPTION_STARTED
    ]
    assert [change.generators for change in olt if change] == [None] * 4


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, f"{path}/{name}")
    elif isinstance(value, list):
        for entry in value:
            yield from leaves(entry, f"{path}[]")
    else:
        yield path, value


def test_json_and_cbor_of_one_device_have_the_same_paths_and_types() -> None:
    def contents(part: str) -> dict[str, Any]:
        kind, payload = next(
            (kind, payload)
            for kind, payload in messages(capture_named(part))
            if decode(payload, kind).kind is NotificationKind.PUSH_UPDATE
        )
        return dict(leaves(decode_contents(payload, kind)))

    in_json, in_cbor = contents("20250304-0811"), contents("20250305-1133")
    assert in_json.keys() == in_cbor.keys()
    for path, value in in_json.items():
        other = in_cbor[path]
        if isinstance(other, int) and isinstance(value, str):
            # a 64-bit number: text in JSON (RFC 7951 §6.1), number in CBOR (RFC 9254 §6.1)
            assert str(int(value)) == value, path
        else:
            assert type(other) is type(value), path
